//! Questions of finance that one statement answers: what no list of rows and no group of them can say.

mod metrics;

pub use self::metrics::{Dimension, MetricFigure, MetricPeriod, MetricQuestion, ReportingPeriod};
