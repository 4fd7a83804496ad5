//! Questions of finance that one statement answers: what no list of rows and no group of them can say.

mod consumption;
mod metrics;
mod sales;

pub use self::{
    consumption::{CATEGORIES, Consumption},
    metrics::{Dimension, MetricFigure, MetricPeriod, MetricQuestion, ReportingPeriod},
    sales::{Closed, Days, DealDimension, QuarterForecast, StageFlow},
};
