/** Puts another method in the place of a class's own until disposed; `make` gets the original. */
export function replaceMethod<T extends object, K extends keyof T & string>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): Disposable {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (!descriptor) throw new Error(`Cannot replace "${name}": the class has no such method`);
  Object.defineProperty(prototype, name, { ...descriptor, value: make(prototype[name]) });
  return { [Symbol.dispose]: () => Object.defineProperty(prototype, name, descriptor) };
}

/** As `replaceMethod`, for a getter. */
export function replaceGetter<T extends object, K extends keyof T & string>(
  prototype: T,
  name: K,
  make: (original: (self: T) => T[K]) => (self: T) => T[K],
): Disposable {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  const get = descriptor?.get;
  if (!get) throw new Error(`Cannot replace "${name}": the class has no such getter`);
  const replaced = make((self) => Reflect.apply(get, self, []));
  Object.defineProperty(prototype, name, {
    ...descriptor,
    get(this: T) {
      return replaced(this);
    },
  });
  return { [Symbol.dispose]: () => Object.defineProperty(prototype, name, descriptor) };
}

/** Several replacements as one. */
export function together(...parts: readonly Disposable[]): Disposable {
  return {
    [Symbol.dispose]: () => {
      for (const part of parts.toReversed()) part[Symbol.dispose]();
    },
  };
}
