import { Line, LineChart, ResponsiveContainer, YAxis } from 'recharts';
import { useLive } from '../gateway/live';
import type { MetricType, ReportingPeriod } from '../gql/graphql';
import { words } from '../parts/format';
import { Choice } from '../parts/Choice';
import { differenceOf, inOrder, inUnit, periodOf, PERIODS, trend, type Kpi } from './metrics';
import { Kpis as Query } from './operations';
import { Section } from '../parts/Section';

export function useKpis(period: ReportingPeriod) {
  const state = useLive(Query, { period }, ['KPI', 'METRIC']);
  return { ...state, cards: inOrder(state.data?.kpis ?? []) };
}

interface Props {
  state: ReturnType<typeof useKpis>;
  chosen: MetricType;
  choose: (metric: MetricType) => void;
  period: ReportingPeriod;
  choosePeriod: (period: ReportingPeriod) => void;
}

/** Every metric in the last period that has ended; choosing one draws it below. */
export function Kpis({ state, chosen, choose, period, choosePeriod }: Props) {
  const { cards } = state;
  const currencies = new Set(cards.map(({ currency }) => currency));
  return (
    <Section
      title="Key figures"
      note={
        <span className="choices">
          {cards[0] && `${periodOf(cards[0].period)}, against the period before and the budget `}
          <Choice label="How long a time" value={period} values={PERIODS} choose={choosePeriod} />
        </span>
      }
      className="wide"
      state={state}
    >
      {cards.length === 0 ? (
        <p className="quiet">There are no metrics that you may see.</p>
      ) : (
        <ul className="kpis">
          {cards.map((card) => (
            <li key={`${card.metricType} ${card.currency}`}>
              <button
                className="kpi"
                aria-pressed={card.metricType === chosen}
                title={card.method}
                onClick={() => choose(card.metricType)}
              >
                <Card card={card} currency={currencies.size > 1} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

const TONE = { FAVORABLE: 'good', UNFAVORABLE: 'bad', UNCHANGED: '' };

function Card({ card, currency }: { card: Kpi; currency: boolean }) {
  const compared = [
    { against: 'before', comparison: card.change },
    { against: 'budget', comparison: card.againstBudget },
  ];
  return (
    <>
      <span className="quiet">
        {words(card.metricType)}
        {currency && card.unit !== 'PERCENT' && ` ${card.currency}`}
      </span>
      <strong>{card.value != null && inUnit(card, card.value)}</strong>
      <Trend card={card} />
      <span className="kpi-notes">
        {compared.map(
          ({ against, comparison }) =>
            comparison && (
              <span key={against} className={TONE[comparison.status]}>
                {differenceOf(card, comparison)} <small>{against}</small>
              </span>
            ),
        )}
      </span>
    </>
  );
}

/** A picture of what the notes say in numbers. */
const Trend = ({ card }: { card: Kpi }) => (
  <span className="trend" aria-hidden="true">
    <ResponsiveContainer width="100%" height={36} initialDimension={{ width: 120, height: 36 }}>
      <LineChart data={trend(card)} accessibilityLayer={false} margin={{ top: 3, bottom: 3, left: 2, right: 2 }}>
        <YAxis hide domain={['dataMin', 'dataMax']} />
        <Line dataKey="value" stroke="var(--accent)" strokeWidth={2} dot={false} isAnimationActive={false} />
      </LineChart>
    </ResponsiveContainer>
  </span>
);
