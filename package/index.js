// What `import "millrace"` gives: the sources in a clone, their compiled form in an installed package. Which of the
// two `#src/*` means is said by the nearest package.json (docs/decisions/0009-packed-form.md).
export * from "#src/index.ts";
