import { expect, test } from "vitest";
import { drawPlot, niceStep, type Plot } from "../../../../bench/soak/plot.ts";

const plot: Plot = {
  title: "Memory <of> the broker",
  unit: "MB",
  scale: "linear",
  minutes: 10,
  series: [
    {
      name: "resident",
      points: [
        [0, 0],
        [5, 100],
        [6, undefined],
        [7, 50],
        [10, 40],
      ],
    },
  ],
  marks: [{ minutes: 6, kind: "kill" }],
};

test("a gap interrupts the line", () => {
  expect(pathOf(drawPlot(plot)).match(/M/g)).toHaveLength(2);
});

test("zero lies on the axis and the highest tick at the top", () => {
  const [first, second] = pathOf(drawPlot(plot)).split("L");
  expect(first).toBe("M88 284");
  expect(second).toMatch(/^514 62M/);
});

test("ticks tell the unit, minutes have ticks of their own, and names are escaped", () => {
  const svg = drawPlot(plot);
  expect(svg).toContain(">100 MB</text>");
  expect(svg).toContain(">10</text>");
  expect(svg).toContain("Memory &lt;of&gt; the broker");
});

test("only kinds of restarts that happened are in the legend", () => {
  const svg = drawPlot(plot);
  expect(svg).toContain(">kill -9 and start</text>");
  expect(svg).not.toContain(">stop and start</text>");
});

test("a logarithmic axis has a tick at each power of ten and keeps zero at the bottom", () => {
  const points: Plot["series"][number]["points"] = [
    [0, 0],
    [5, 10],
    [10, 1000],
  ];
  const svg = drawPlot({ ...plot, scale: "log", unit: "ms", series: [{ name: "p99", points }] });
  for (const tick of ["1 ms", "10 ms", "100 ms", "1,000 ms"]) expect(svg).toContain(`>${tick}</text>`);
  expect(pathOf(svg)).toBe("M88 284L514 210L940 62");
});

test("a plot without a value is drawn, too", () => {
  const svg = drawPlot({ ...plot, series: [{ name: "resident", points: [[0, undefined]] }], marks: [] });
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test("every element that is opened is closed", () => {
  const svg = drawPlot(plot);
  const opened = svg.match(/<(?!\/)(?:svg|title|style|text)\b/g) ?? [];
  const closed = svg.match(/<\/(?:svg|title|style|text)>/g) ?? [];
  expect(opened.length).toBe(closed.length);
});

test.each([
  [0.03, 0.05],
  [1, 1],
  [17, 20],
  [23, 50],
  [70, 100],
  [0, 1],
])("a step of at least %d is %d", (least, step) => {
  expect(niceStep(least)).toBeCloseTo(step, 9);
});

function pathOf(svg: string): string {
  return / d="([^"]*)"/.exec(svg)?.[1] ?? "";
}
