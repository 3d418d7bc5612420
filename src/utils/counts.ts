/** Counts by name; names that count nothing take no memory. */
export class Counts {
  readonly #counts = new Map<string | undefined, number>();

  of(name: string | undefined): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string | undefined, change: number): void {
    const count = this.of(name) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
