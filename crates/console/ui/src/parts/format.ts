const locale = 'en';

/** An enum value as words: `OPERATING_EXPENSE` is `Operating expense`. Short ones stay as they are: `EBITDA`. */
export function words(value: string) {
  if (/^(ARR|MRR|EBITDA|CAC|LTV|NRR|CFO)$/.test(value)) return value;
  const text = value.toLowerCase().replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Words that are written in capitals wherever they stand. */
const CAPITALS = /\b(ai|api|gpu|id|ip|kpi|lob|mfa|p\d+|q\d|url)\b/g;

/** The name of a field as words: `expectedCloseDate` is `Expected close date`. */
export function named(field: string) {
  const text = field.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  const capital = text.replace(CAPITALS, (word) => word.toUpperCase()).replace(/\bids\b/, 'IDs');
  return capital.charAt(0).toUpperCase() + capital.slice(1);
}

/** A number with all of its digits: one that comes as text is never rounded. Of zeros at the end two places are enough. */
export function exact(value: string | number, style: 'decimal' | 'percent' = 'decimal') {
  const [, decimals = ''] = String(value).split('.');
  const told = Math.max(decimals.replace(/0+$/, '').length, Math.min(decimals.length, style === 'percent' ? 4 : 2));
  const digits = Math.max(style === 'percent' ? told - 2 : told, 0);
  const format = new Intl.NumberFormat(locale, { style, minimumFractionDigits: digits, maximumFractionDigits: digits });
  return format.format(value as Intl.StringNumericLiteral);
}

/** A number in few places: 12.3M. */
export const compact = (value: number) =>
  new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 }).format(value);

export const percent = (ratio: number, digits = 1) =>
  new Intl.NumberFormat(locale, {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'auto',
  }).format(ratio);

/** A difference, with its sign. */
export const difference = (ratio: number) =>
  new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' }).format(
    ratio,
  );

export const month = (date: string) =>
  new Intl.DateTimeFormat(locale, { month: 'short', year: 'numeric', timeZone: 'UTC' }).format(new Date(date));

const DAY = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });

export const day = (date: string) => DAY.format(new Date(date));

/** A Decimal of the API; null stays null. */
export const number = (decimal: string | null | undefined) => (decimal == null ? null : Number(decimal));

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A moment, in the reader's own time zone. */
export const when = (moment: string) => MOMENT.format(new Date(moment));

/** An amount without loss of digits: decimals come as text. */
export function money(amount: string, currency: string) {
  const whole = /\.0*$/.test(amount) || !amount.includes('.');
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    currencyDisplay: 'code',
    minimumFractionDigits: whole ? 0 : 2,
    maximumFractionDigits: whole ? 0 : 2,
  });
  return format.format(amount as Intl.StringNumericLiteral);
}

export const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
