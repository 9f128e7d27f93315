import { type Style, styled } from "./style.ts";

/** A cell: its text alone, or with a style. */
export type Cell = string | number | { readonly text: string; readonly style: Style };

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
}

const gap = "  ";

/** Rows under their titles, as wide as what they hold; ends with a line break. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { hasColour }: { hasColour: boolean },
): string {
  const titles = columns.map(({ title }) => ({ text: title, style: "bold" as const }));
  const lines = [titles, ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => textOf(cells[index]).length)));
  return lines
    .map((cells) => {
      const line = columns.map((column, index) => {
        const text = textOf(cells[index]);
        const padding = " ".repeat((widths[index] ?? 0) - text.length);
        const shown = styled(text, styleOf(cells[index]), hasColour);
        return column.isNumber ? padding + shown : shown + padding;
      });
      return `${line.join(gap).trimEnd()}\n`;
    })
    .join("");
}

/** Names and values below each other. */
export function formatFields(
  fields: readonly (readonly [name: string, value: Cell])[],
  { hasColour }: { hasColour: boolean },
): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields
    .map(([name, value]) => {
      const label = styled(name, "bold", hasColour) + " ".repeat(width - name.length);
      return `${label}${gap}${styled(textOf(value), styleOf(value), hasColour)}\n`;
    })
    .join("");
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === "object" ? cell.text : String(cell ?? "");
}

function styleOf(cell: Cell | undefined): Style | undefined {
  return typeof cell === "object" ? cell.style : undefined;
}
