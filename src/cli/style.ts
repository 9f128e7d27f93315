import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Text with a style, or plain where there is no colour. */
export function styled(text: string, style: Style | undefined, hasColour: boolean): string {
  return style === undefined || !hasColour ? text : styleText(style, text, { validateStream: false });
}
