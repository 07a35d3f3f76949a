export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** Runs two measurements in turn, A B A B ..., so that a drift of the machine meets both; returns them pair by pair. */
export async function inTurn(
  rounds: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<{ a: number[]; b: number[]; ratio: number[] }> {
  const [first, second]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    first.push(await a());
    second.push(await b());
  }
  return { a: first, b: second, ratio: first.map((value, index) => value / (second[index] ?? Number.NaN)) };
}

export function line(label: string, values: readonly number[], unit: string, digits = 2): string {
  const { median, min, max } = summarize(values);
  const show = (value: number): string => value.toFixed(digits);
  return `${label.padEnd(44)} ${show(median).padStart(10)} ${unit.padEnd(8)} (${show(min)} .. ${show(max)})`;
}
