/** Decimal numbers of any length, compared without rounding. */

export interface ExactDecimal {
  unscaled: bigint;
  /** Digits behind the point. */
  scale: number;
}

const DECIMAL = /^([-+]?)(\d+)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3}))?$/;

/** Null for text that is no such number. */
export function parseDecimal(text: string): ExactDecimal | null {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (sign === undefined) return null;
  const scale = fraction.length - Number(exponent);
  const unscaled = BigInt(`${whole}${fraction}`) * 10n ** BigInt(Math.max(0, -scale));
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale: Math.max(0, scale) };
}

export function compareDecimals(a: ExactDecimal, b: ExactDecimal): number {
  const scale = Math.max(a.scale, b.scale);
  const [left, right] = [atScale(a, scale), atScale(b, scale)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function atScale({ unscaled, scale }: ExactDecimal, wanted: number): bigint {
  return unscaled * 10n ** BigInt(wanted - scale);
}
