import {
  Bar,
  BarChart,
  CartesianGrid,
  Legend,
  Line,
  LineChart,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
  type TooltipContentProps,
} from 'recharts';
import { Choice } from '../parts/Choice';
import { compact } from '../parts/format';
import type { Table } from './answer';
import { drawing, type Drawing, type Point } from './drawing';
import type { Question } from './question';

interface Props {
  table: Table;
  /** Whether all groups are there, and not the first ones only. */
  isWhole: boolean;
  question: Question;
  change: (change: Partial<Question>) => void;
}

/** The answer as a picture: a line where time is a key, else bars. The table beside it has the numbers. */
export function AnswerChart({ table, isWhole, question, change }: Props) {
  const drawn = drawing(table, question.drawn, question.unit);
  if (!drawn) return null;
  const { figure, units, unit, left } = drawn;
  const figures = table.heads.filter(({ role, isNumber }) => role === 'figure' && isNumber);
  const notes = [
    drawn.points.length === 0 && 'What is in different units is not drawn beside each other.',
    units.length > 1 && 'What is in different units is drawn one by one.',
    left.points > 0 && `The first ${drawn.points.length} of ${drawn.points.length + left.points}.`,
    !isWhole && 'Only what is loaded is drawn.',
    left.series > 0 && `${left.series} more series are in the table only.`,
  ].filter((note) => note !== false);
  return (
    <figure className="answer-chart">
      <div className="choices">
        {figures.length > 1 && (
          <Choice
            label="Drawn figure"
            value={figure.id}
            values={Object.fromEntries(figures.map(({ id, label }) => [id, label]))}
            choose={(drawn) => change({ drawn })}
          />
        )}
        {units.length > 1 && (
          <Choice
            label="Drawn unit"
            value={unit}
            values={Object.fromEntries(units.map((one) => [one, one || 'unit unknown']))}
            choose={(unit) => change({ unit })}
          />
        )}
      </div>
      {drawn.points.length > 0 && (
        <div
          className="chart"
          role="img"
          aria-label={`${figure.label}${unit && `, ${unit}`}: a picture; the table has the numbers.`}
        >
          {drawn.isTime ? <Lines drawn={drawn} /> : <Bars drawn={drawn} />}
        </div>
      )}
      <figcaption className="quiet">
        {figure.label}
        {unit && `, ${unit}`}. {notes.join(' ')}
      </figcaption>
    </figure>
  );
}

const color = (at: number) => `var(--series-${at + 1})`;
const value = (at: number) => (point: Point) => point.values[at];

const GRID = <CartesianGrid stroke="var(--line)" vertical={false} />;
const tick = { fontSize: 12 };

function Lines({ drawn }: { drawn: Drawing }) {
  return (
    <ResponsiveContainer width="100%" height={300} initialDimension={{ width: 600, height: 300 }}>
      <LineChart data={drawn.points} accessibilityLayer={false} margin={{ top: 8, right: 16, bottom: 0, left: 0 }}>
        {GRID}
        <XAxis
          dataKey="time"
          type="number"
          domain={['dataMin', 'dataMax']}
          ticks={some(drawn.points.map(({ time }) => time))}
          tickFormatter={(time: number) => drawn.points.find((point) => point.time === time)?.name ?? ''}
          stroke="var(--quiet)"
          minTickGap={16}
          tick={tick}
        />
        <YAxis tickFormatter={compact} stroke="var(--quiet)" width={56} tick={tick} domain={['auto', 'auto']} />
        <Tooltip content={(props) => <Reading {...props} drawn={drawn} />} />
        {drawn.series.length > 1 && <Legend itemSorter={null} />}
        {drawn.series.map((name, at) => (
          <Line
            key={name}
            dataKey={value(at)}
            name={name}
            stroke={color(at)}
            strokeWidth={2}
            strokeDasharray={DASHES[at]}
            // A single value between two that are missing is a point.
            dot={drawn.points.length < 60 ? { r: 2.5, strokeDasharray: 'none' } : false}
            isAnimationActive={false}
          />
        ))}
      </LineChart>
    </ResponsiveContainer>
  );
}

/** Few of many, evenly: those that have room on the axis. */
function some(times: number[]) {
  const step = Math.ceil(times.length / 8);
  return times.filter((_, at) => at % step === 0);
}

/** Lines are told apart without their colors, too. */
const DASHES = [undefined, '6 4', '2 3', '10 4 2 4', '12 3', '4 2'];

function Bars({ drawn }: { drawn: Drawing }) {
  const thick = drawn.series.length > 1 ? 10 : 16;
  const height = drawn.points.length * Math.max(28, drawn.series.length * (thick + 2) + 10) + 40;
  return (
    <ResponsiveContainer width="100%" height={height} initialDimension={{ width: 600, height }}>
      <BarChart
        data={drawn.points}
        layout="vertical"
        accessibilityLayer={false}
        margin={{ top: 0, right: 24, bottom: 0, left: 0 }}
        barGap={2}
      >
        <CartesianGrid stroke="var(--line)" horizontal={false} />
        <XAxis type="number" tickFormatter={compact} stroke="var(--quiet)" tick={tick} />
        <YAxis
          type="category"
          dataKey="name"
          width={128}
          interval={0}
          stroke="var(--quiet)"
          tickLine={false}
          tick={tick}
          tickFormatter={(name: string) => (name.length > 20 ? `${name.slice(0, 19)}…` : name)}
        />
        <Tooltip cursor={{ fill: 'var(--sunken)' }} content={(props) => <Reading {...props} drawn={drawn} />} />
        {drawn.series.length > 1 && <Legend itemSorter={null} />}
        {drawn.series.map((name, at) => (
          <Bar
            key={name}
            dataKey={value(at)}
            name={name}
            fill={color(at)}
            radius={3}
            barSize={thick}
            isAnimationActive={false}
          />
        ))}
      </BarChart>
    </ResponsiveContainer>
  );
}

/** What the pointer is at, with all digits. */
function Reading({ active, payload, drawn }: TooltipContentProps & { drawn: Drawing }) {
  const point = payload?.[0]?.payload as Point | undefined;
  if (!active || !point) return null;
  return (
    <div className="reading">
      <strong>{point.name}</strong>
      {drawn.series.map((name, at) => (
        <span key={name}>
          {name}: {point.texts[at]}
        </span>
      ))}
    </div>
  );
}
