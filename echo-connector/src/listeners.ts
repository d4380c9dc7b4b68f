import { guardedCall } from './guarded-call.ts';

/** Callbacks by name; one registered twice is called twice, as with Echo. */
export class Listeners<Args extends unknown[]> {
  readonly #byName = new Map<string, Array<(...args: Args) => void>>();

  add(name: string, callback: (...args: Args) => void): void {
    this.#byName.set(name, [...(this.#byName.get(name) ?? []), callback]);
  }

  /** Without a callback, all of that name. */
  remove(name: string, callback?: CallableFunction): void {
    const rest = callback ? (this.#byName.get(name) ?? []).filter((one) => one !== callback) : [];
    if (rest.length > 0) this.#byName.set(name, rest);
    else this.#byName.delete(name);
  }

  clear(): void {
    this.#byName.clear();
  }

  call(name: string, ...args: Args): void {
    for (const callback of this.#byName.get(name) ?? []) guardedCall(callback, ...args);
  }
}
