import { scaleFor, type Scale, type ScaleKind } from './scale.ts';

interface Point {
  readonly x: number;
  readonly y: number;
  /** Lowest and highest of the rounds. */
  readonly spread?: readonly [low: number, high: number];
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Drawn thin and dashed: what the others are compared with. */
  readonly reference?: boolean;
  /** Has the color of this one, of which it tells more. */
  readonly colorOf?: string;
}

export interface Plot {
  readonly title: string;
  readonly x: { readonly label: string; readonly scale: ScaleKind };
  readonly y: { readonly label: string; readonly scale: ScaleKind };
  readonly series: readonly Series[];
}

const width = 720;
const height = 400;
const area = { left: 76, right: 540, top: 44, bottom: 340 } as const;

/** Told apart by people who do not see all colours, and readable on white and on black. */
const colors = ['#3b82f6', '#e07b00', '#12a37a', '#c2569b', '#8b7ae0', '#8a8f98'];

/** More values than these have no room for a tick each. */
const mostTicks = 6;

/** A color for each series that does not share another one's. */
function colorsOf(series: readonly Series[]): (each: Series) => string {
  const own = series.filter(({ colorOf }) => colorOf === undefined).map(({ name }) => name);
  return ({ name, colorOf = name }) => colors[own.indexOf(colorOf) % colors.length] ?? '#888';
}

/**
 * A line plot as one SVG file, without scripts or fonts of its own. Text and axes take a grey that is legible on light and
 * on dark, and change with the reader's colour scheme where the viewer tells it.
 */
export function svgPlot({ title, x, y, series }: Plot): string {
  const points = series.flatMap((each) => each.points);
  const color = colorsOf(series);
  const horizontal = scaleFor(
    points.map((point) => point.x),
    { kind: x.scale, from: area.left, to: area.right, ticksAtValues: new Set(points.map((point) => point.x)).size <= mostTicks },
  );
  const vertical = scaleFor(
    points.flatMap((point) => [point.y, ...(point.spread ?? [])]),
    { kind: y.scale, from: area.bottom, to: area.top },
  );
  const drawn = series.map((each) => drawSeries(each, { color: color(each), horizontal, vertical }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">`,
    style,
    `<text class="title" x="${area.left}" y="24">${escape(title)}</text>`,
    ...gridLines(horizontal, vertical),
    `<text class="label" x="${(area.left + area.right) / 2}" y="${height - 12}" text-anchor="middle">${escape(x.label)}</text>`,
    `<text class="label" transform="translate(18 ${(area.top + area.bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(y.label)}</text>`,
    ...drawn,
    ...legend(series, color),
    '</svg>',
    '',
  ].join('\n');
}

const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #6b7280; }
.title { font-size: 15px; font-weight: 600; }
.grid { stroke: #9ca3af; stroke-opacity: .35; }
.axis { stroke: #9ca3af; }
@media (prefers-color-scheme: dark) { text { fill: #b4bac4; } }
</style>`;

function gridLines(horizontal: Scale, vertical: Scale): readonly string[] {
  const across = vertical.ticks.map((tick) => {
    const at = round(vertical.position(tick));
    return (
      `<line class="grid" x1="${area.left}" y1="${at}" x2="${area.right}" y2="${at}"/>` +
      `<text x="${area.left - 8}" y="${at + 4}" text-anchor="end">${tickText(tick)}</text>`
    );
  });
  const down = horizontal.ticks.map((tick) => {
    const at = round(horizontal.position(tick));
    return (
      `<line class="axis" x1="${at}" y1="${area.bottom}" x2="${at}" y2="${area.bottom + 5}"/>` +
      `<text x="${at}" y="${area.bottom + 20}" text-anchor="middle">${tickText(tick)}</text>`
    );
  });
  return [...across, `<line class="axis" x1="${area.left}" y1="${area.bottom}" x2="${area.right}" y2="${area.bottom}"/>`, ...down];
}

interface Drawing {
  readonly color: string;
  readonly horizontal: Scale;
  readonly vertical: Scale;
}

function drawSeries({ points, reference = false }: Series, { color, horizontal, vertical }: Drawing): string {
  const at = points.map((point) => ({ x: round(horizontal.position(point.x)), y: round(vertical.position(point.y)), point }));
  const line = at.map(({ x, y }) => `${x},${y}`).join(' ');
  const bars = at.flatMap(({ x, point: { spread } }) =>
    spread === undefined
      ? []
      : [
          `<line x1="${x}" y1="${round(vertical.position(spread[0]))}" x2="${x}" y2="${round(vertical.position(spread[1]))}" stroke-opacity=".5"/>`,
        ],
  );
  const dots = at.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${color}" stroke="none"/>`);
  const look = reference ? 'stroke-width="1.5" stroke-dasharray="5 4"' : 'stroke-width="2"';
  return `<g stroke="${color}" ${look} fill="none"><polyline points="${line}"/>${bars.join('')}${dots.join('')}</g>`;
}

function legend(series: readonly Series[], colorOf: (series: Series) => string): readonly string[] {
  return series.map((each, index) => {
    const { name, reference = false } = each;
    const y = area.top + 8 + index * 20;
    const color = colorOf(each);
    const dash = reference ? ' stroke-dasharray="5 4"' : '';
    return (
      `<line x1="${area.right + 18}" y1="${y}" x2="${area.right + 40}" y2="${y}" stroke="${color}" stroke-width="2"${dash}/>` +
      `<text x="${area.right + 46}" y="${y + 4}">${escape(name)}</text>`
    );
  });
}

function tickText(value: number): string {
  for (const [size, suffix] of [
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${suffix}`;
  }
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
