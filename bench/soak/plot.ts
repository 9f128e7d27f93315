/** A line of a plot: points in order; an undefined value interrupts it. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [minutes: number, value: number | undefined])[];
}

/** A vertical line at some minute. */
export interface Mark {
  readonly minutes: number;
  readonly kind: "stop" | "kill";
}

export interface Plot {
  readonly title: string;
  /** Of the values. */
  readonly unit: string;
  readonly scale: "linear" | "log";
  readonly minutes: number;
  /** At most as many as there are colours. */
  readonly series: readonly Series[];
  readonly marks: readonly Mark[];
}

const width = 960;
const height = 330;
const area = { left: 88, right: 20, top: 62, bottom: 46 } as const;
const plotWidth = width - area.left - area.right;
const plotHeight = height - area.top - area.bottom;
const ticksWanted = 5;
const minuteTicksWanted = 10;
/** Room of a letter in a legend, in pixels. */
const letterWidth = 7;

/**
 * Distinguishable without full colour vision, too, and readable on both grounds; the ground follows the reader's
 * preference, so that the picture fits wherever it is shown.
 */
const light = palette({
  ground: "#ffffff",
  ink: "#1f2328",
  faint: "#59636e",
  grid: "#e4e8ec",
  kill: "#cf222e",
  series: ["#0969da", "#c4570a", "#0f7b6c", "#8250df"],
});
const dark = palette({
  ground: "#0d1117",
  ink: "#e6edf3",
  faint: "#9198a1",
  grid: "#2a313a",
  kill: "#ff7b72",
  series: ["#58a6ff", "#f0883e", "#3fc7b4", "#bc8cff"],
});
const style = `
    text { font: 13px system-ui, sans-serif; }
    .title { font-weight: 600; font-size: 15px; }
    .line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
    .stop { stroke-dasharray: 2 4; }
    .kill { stroke-dasharray: 6 3; }
    ${light}
    @media (prefers-color-scheme: dark) {
      ${dark}
    }
`;

interface Palette {
  readonly ground: string;
  readonly ink: string;
  readonly faint: string;
  readonly grid: string;
  readonly kill: string;
  readonly series: readonly string[];
}

/** Rules for all colours; without variables, which some viewers do not know. */
function palette({ ground, ink, faint, grid, kill, series }: Palette): string {
  return [
    `.ground { fill: ${ground}; }`,
    `text { fill: ${faint}; }`,
    `.title { fill: ${ink}; }`,
    `.grid { stroke: ${grid}; }`,
    `.axis, .stop { stroke: ${faint}; }`,
    `.kill { stroke: ${kill}; }`,
    ...series.map((colour, at) => `.series-${at} { stroke: ${colour}; }`),
  ].join(" ");
}

/** Draws values over minutes as one SVG document. */
export function drawPlot(plot: Plot): string {
  const axis = valueAxis(plot);
  const x = (minutes: number): number => area.left + (minutes / plot.minutes) * plotWidth;
  const y = (value: number): number => area.top + (1 - axis.place(value)) * plotHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `  <title>${escapeXml(plot.title)}</title>`,
    `  <style>${style}  </style>`,
    `  <rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    `  <text class="title" x="${area.left}" y="24">${escapeXml(plot.title)}</text>`,
    ...legend(plot),
    ...axis.ticks.flatMap((tick) => valueTick(tick, y(tick), plot.unit)),
    ...minuteTicks(plot.minutes).flatMap((tick) => minuteTick(tick, x(tick))),
    text(area.left + plotWidth / 2, height - 8, "minutes", "middle"),
    ...plot.marks.map(({ minutes, kind }) =>
      line(kind, [x(minutes), area.top, x(minutes), area.top + plotHeight]),
    ),
    ...plot.series.map((series, at) => seriesPath(series, at, x, y)),
    line("axis", [area.left, area.top + plotHeight, area.left + plotWidth, area.top + plotHeight]),
    "</svg>",
    "",
  ].join("\n");
}

interface ValueAxis {
  readonly ticks: readonly number[];
  /** Where a value lies, from 0 at the bottom to 1 at the top. */
  readonly place: (value: number) => number;
}

function valueAxis({ scale, series }: Plot): ValueAxis {
  const values = series.flatMap(({ points }) =>
    points.flatMap(([, value]) => (value === undefined ? [] : [value])),
  );
  return scale === "log" ? logAxis(values) : linearAxis(Math.max(0, ...values));
}

function linearAxis(most: number): ValueAxis {
  const step = niceStep(most / ticksWanted);
  const count = Math.max(1, Math.ceil(most / step));
  return {
    ticks: Array.from({ length: count + 1 }, (_, at) => at * step),
    place: (value) => value / (count * step),
  };
}

/** Whole powers of ten; what is 0 or less lies at the bottom. */
function logAxis(values: readonly number[]): ValueAxis {
  const positive = values.filter((value) => value > 0);
  const from = Math.floor(Math.log10(Math.min(1, ...positive)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(1, ...positive))));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, at) => 10 ** (from + at)),
    place: (value) => (value <= 0 ? 0 : Math.max(0, (Math.log10(value) - from) / (to - from))),
  };
}

/** 1, 2 or 5 times a power of ten, at least as large as asked for. */
export function niceStep(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least * 0.999) ?? 10;
  return factor * power;
}

function minuteTicks(minutes: number): number[] {
  const step = niceStep(minutes / minuteTicksWanted);
  return Array.from({ length: Math.floor(minutes / step + 1e-9) + 1 }, (_, at) => at * step);
}

function valueTick(tick: number, y: number, unit: string): string[] {
  return [
    line("grid", [area.left, y, area.left + plotWidth, y]),
    text(area.left - 8, y + 4, `${label(tick)} ${unit}`.trim(), "end"),
  ];
}

function minuteTick(tick: number, x: number): string[] {
  const bottom = area.top + plotHeight;
  return [line("axis", [x, bottom, x, bottom + 4]), text(x, bottom + 18, label(tick), "middle")];
}

function legend({ series, marks }: Plot): string[] {
  const entries = [
    ...series.map(({ name }, at) => ({ name, stroke: `class="line series-${at}"` })),
    ...(["stop", "kill"] as const)
      .filter((kind) => marks.some((mark) => mark.kind === kind))
      .map((kind) => ({
        name: kind === "stop" ? "stop and start" : "kill -9 and start",
        stroke: `class="${kind}"`,
      })),
  ];
  let x: number = area.left;
  return entries.flatMap(({ name, stroke }) => {
    const at = x;
    x += 46 + name.length * letterWidth;
    return [
      `  <line ${stroke} x1="${at}" y1="44" x2="${at + 22}" y2="44"/>`,
      text(at + 28, 48, name, "start"),
    ];
  });
}

function seriesPath(
  { points }: Series,
  at: number,
  x: (minutes: number) => number,
  y: (value: number) => number,
): string {
  let isDown = false;
  let path = "";
  for (const [minutes, value] of points) {
    if (value !== undefined) path += `${isDown ? "L" : "M"}${short(x(minutes))} ${short(y(value))}`;
    isDown = value !== undefined;
  }
  return `  <path class="line series-${at}" d="${path}"/>`;
}

function line(className: string, [x1, y1, x2, y2]: readonly [number, number, number, number]): string {
  return `  <line class="${className}" x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}"/>`;
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end"): string {
  return `  <text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

function label(value: number): string {
  return value >= 1000 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(6)));
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
