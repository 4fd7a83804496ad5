import { Line, LineChart, ResponsiveContainer, YAxis } from 'recharts';
import { useLive } from '../gateway/live';
import type { MetricType } from '../gql/graphql';
import { compact, difference, month, words } from '../parts/format';
import { isCost, isPercentage, kpis, monthsAgo, type Kpi } from './metrics';
import { Kpis as Query } from './operations';
import { Section } from './Section';

const SINCE = { since: monthsAgo(13) };

export function useKpis() {
  const state = useLive(Query, SINCE, ['KPI', 'METRIC']);
  return { ...state, cards: kpis(state.data?.kpiSummaries?.nodes ?? []) };
}

interface Props {
  state: ReturnType<typeof useKpis>;
  chosen: MetricType;
  choose: (metric: MetricType) => void;
}

/** The latest month of every metric; choosing one draws it below. */
export function Kpis({ state, chosen, choose }: Props) {
  const { cards } = state;
  return (
    <Section
      title="Key figures"
      note={cards[0] && `${month(cards[0].period)}, against budget`}
      className="wide"
      state={state}
    >
      {cards.length === 0 ? (
        <p className="quiet">Your organization has no metrics yet.</p>
      ) : (
        <ul className="kpis">
          {cards.map((card) => (
            <li key={card.metric}>
              <button className="kpi" aria-pressed={card.metric === chosen} onClick={() => choose(card.metric)}>
                <Card card={card} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Card({ card }: { card: Kpi }) {
  const better = (ratio: number) => (ratio === 0 ? '' : ratio > 0 === !isCost(card.metric) ? 'good' : 'bad');
  const value = isPercentage(card.metric) ? `${card.value.toFixed(1)}%` : compact(card.value);
  return (
    <>
      <span className="quiet">{words(card.metric)}</span>
      <strong>{value}</strong>
      <Trend card={card} />
      <span className="kpi-notes">
        {card.change !== null && (
          <span className={better(card.change)}>
            {difference(card.change)} <small>month</small>
          </span>
        )}
        {card.variance !== null && (
          <span className={better(card.variance)}>
            {difference(card.variance)} <small>budget</small>
          </span>
        )}
      </span>
    </>
  );
}

/** A picture of what the notes say in numbers. */
const Trend = ({ card }: { card: Kpi }) => (
  <span className="trend" aria-hidden="true">
    <ResponsiveContainer width="100%" height={36} initialDimension={{ width: 120, height: 36 }}>
      <LineChart data={card.trend} accessibilityLayer={false} margin={{ top: 3, bottom: 3, left: 2, right: 2 }}>
        <YAxis hide domain={['dataMin', 'dataMax']} />
        <Line dataKey="value" stroke="var(--accent)" strokeWidth={2} dot={false} isAnimationActive={false} />
      </LineChart>
    </ResponsiveContainer>
  </span>
);
