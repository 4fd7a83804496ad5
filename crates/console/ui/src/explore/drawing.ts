import type { Cell, Head, Table } from './answer';
import { CURRENCY, METRIC } from './operation';

/** How many series and bars a picture has at most; the table has them all. */
export const MOST_SERIES = 6;
export const MOST_BARS = 24;

export interface Drawing {
  figure: Head;
  /** What the figures of one picture are in; of several, one is drawn at a time. */
  units: string[];
  unit: string;
  isTime: boolean;
  series: string[];
  points: Point[];
  /** How many bars and series are left out. */
  left: { points: number; series: number };
}

/** A place on the axis, with the cell of each series by its place among the series. */
export interface Point {
  name: string;
  /** When its bucket begins, in milliseconds; of no meaning where there is no time. */
  time: number;
  values: (number | null)[];
  texts: string[];
}

/** Keys that say in what a figure is: figures of different ones are not drawn beside each other. */
const UNITS = new Set([CURRENCY, METRIC]);

/** The picture of a figure by the keys: the first along the axis, time before all others, and the others as series. */
export function drawing({ heads, rows }: Table, figureId?: string, unit?: string): Drawing | null {
  const drawable = heads.filter((head) => head.role === 'figure' && head.isNumber);
  const keysOf = (head: Head) => heads.filter(({ id, role }) => role === 'key' && (head.counts || !UNITS.has(id)));
  const figure = drawable.find(({ id }) => id === figureId) ?? drawable.find((head) => keysOf(head).length > 0);
  if (!figure || rows.length === 0) return null;
  const at = heads.indexOf(figure);
  const places = heads.flatMap((head, place) => (head.role === 'key' ? [place] : []));
  const unitPlaces = figure.counts ? [] : places.filter((place) => UNITS.has(heads[place]!.id));
  const unitOf = (row: Cell[]) => {
    const keys = unitPlaces.map((place) => text(heads, row, place));
    const own = figure.counts ? '' : row[at]!.unit;
    return [...new Set([...keys, ...(own ? [own] : [])])].join(', ');
  };
  const byUnit = Map.groupBy(rows, unitOf);
  // The one that most is told of, unless another is chosen.
  const units = [...byUnit].sort(([, a], [, b]) => b.length - a.length).map(([unit]) => unit);
  const chosen = units.find((one) => one === unit) ?? units[0]!;
  const shown = byUnit.get(chosen)!;
  const keys = places.filter((place) => !unitPlaces.includes(place));
  const axis = keys.find((place) => heads[place]!.bucket) ?? keys[0];
  // All keys are units: there is no axis along which figures could stand beside each other.
  if (axis === undefined)
    return { figure, units: [], unit: '', isTime: false, series: [], points: [], left: { points: 0, series: 0 } };
  const others = keys.filter((place) => place !== axis);
  const isTime = heads[axis]!.bucket !== undefined;
  const seriesOf = (row: Cell[]) => others.map((place) => text(heads, row, place)).join(', ') || figure.label;
  const bySeries = Map.groupBy(shown, seriesOf);
  const series = [...bySeries.keys()].slice(0, MOST_SERIES);
  const byPlace = [...Map.groupBy(shown, (row) => String(row[axis]!.value))];
  // What has no time has no place on its axis.
  const timed = byPlace.filter(([key]) => key !== 'null').sort(([a], [b]) => a.localeCompare(b));
  const ordered = isTime ? timed : byPlace.slice(0, MOST_BARS);
  const points = ordered.map(([key, rows]) => {
    const cells = series.map((one) => rows.find((row) => seriesOf(row) === one)?.[at]);
    return {
      name: text(heads, rows[0]!, axis),
      time: isTime ? Date.parse(key) : 0,
      values: cells.map((cell) => (cell?.value == null ? null : Number(cell.value))),
      texts: cells.map((cell) => (cell ? inFull(figure, cell) : '–')),
    };
  });
  return {
    figure,
    units,
    unit: chosen,
    isTime,
    series,
    points,
    left: { points: byPlace.length - points.length, series: bySeries.size - series.length },
  };
}

const text = (heads: Head[], row: Cell[], place: number) => heads[place]!.text(row[place]!.value);

/** A value with all of its digits and its unit. */
export function inFull(head: Head, { value, unit }: Cell) {
  const told = head.text(value);
  return unit === '%' ? `${told}%` : unit ? `${told} ${unit}` : told;
}
