import type { LatencyHistogram } from "./latency-histogram.ts";

/** One series' value. */
export interface Sample {
  /** Values of the family's labels, in their order. */
  readonly labels: readonly string[];
  readonly value: number;
}

/** One series' durations. */
export interface HistogramSample {
  readonly labels: readonly string[];
  readonly histogram: LatencyHistogram;
}

interface FamilyFacts {
  readonly name: string;
  /** One sentence: what it counts, in which unit. */
  readonly help: string;
  readonly labels: readonly string[];
}

/** All series of one name: what they mean, and how they are read off a source when somebody asks. */
export type MetricFamily<Source> =
  | (FamilyFacts & {
      readonly kind: "counter" | "gauge";
      readonly read: (source: Source) => Iterable<Sample>;
    })
  | (FamilyFacts & {
      /** Durations, in seconds. */
      readonly kind: "histogram";
      readonly read: (source: Source) => Iterable<HistogramSample>;
    });

/** A value without labels, left out where it is undefined. */
export function single(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ labels: [], value }];
}
