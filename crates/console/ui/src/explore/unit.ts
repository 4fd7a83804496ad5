/**
 * What a number is in, as far as the schema says so: an amount in the currency that stands beside it, or in that of the organization,
 * percent, the one or the other by the kind of the metric, or nothing that is known.
 */
export type Unit = 'currency' | 'organization' | 'percent' | 'metric' | 'none';

export function unitOf(description: string): Unit {
  if (/or percent for a percentage metric|in the unit of the actual/i.test(description)) return 'metric';
  if (/in the currency of the (row|workspace)/i.test(description)) return 'currency';
  if (/in the currency of the organization(?!, or percentage)/i.test(description)) return 'organization';
  return /\bpercent 0-100\b|\bin percent\b/i.test(description) ? 'percent' : 'none';
}
