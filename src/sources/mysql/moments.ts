/** Moments and lengths of time as the server prints them, in a form that compares. */

const MOMENT = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?)?Z?$/;
const SPAN = /^(-?)(\d{2,3}):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?$/;
const SECOND_US = 1_000_000;
export const MINUTE_US = 60 * SECOND_US;

/** With six digits of a second, so that the order of texts is that of moments; null for what is no moment. Dates with zeros are. */
export function momentOf(text: string): string | null {
  const [, date, time = '00:00:00', fraction = ''] = MOMENT.exec(text) ?? [];
  return date === undefined ? null : `${date} ${time}.${fraction.padEnd(6, '0')}`;
}

/** Microseconds; null for what is no length of time. */
export function spanOf(text: string): number | null {
  const [, minus, hours, minutes, seconds, fraction = ''] = SPAN.exec(text) ?? [];
  if (minus === undefined) return null;
  const size =
    (Number(hours) * 60 + Number(minutes)) * MINUTE_US + Number(seconds) * SECOND_US + Number(fraction.padEnd(6, '0'));
  return minus === '-' ? 0 - size : size;
}
