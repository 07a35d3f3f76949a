const factors: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** The amount a Kubernetes quantity such as `500m`, `1.5Gi` or `2e3` stands for; undefined for what is none. */
export function parseQuantity(text: string): number | undefined {
  const [, digits, exponent, suffix = ''] = /^\+?(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return exponent === undefined ? Number(digits) * (factors[suffix] ?? 1) : Number(`${digits}${exponent}`);
}

/** A sum as a quantity: whole where it is whole, else in thousandths, rounded up. */
export function formatQuantity(amount: number): string {
  return Number.isInteger(amount) ? String(amount) : `${Math.ceil(amount * 1000 - 1e-6)}m`;
}
