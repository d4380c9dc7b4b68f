import { Balancer } from '../support/balancer.ts';

/** Each client's own way to the nodes: where it comes back to is the story's to say. */
export class Ways {
  readonly #urls: readonly string[];
  readonly #balancers: Balancer[] = [];
  readonly #ways = new WeakMap<object, Balancer>();
  #opened = 0;

  /** @param urls of the nodes */
  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** A node, without a balancer before it: each time the next. */
  get url(): string {
    return this.#urls[this.#opened++ % this.#urls.length] ?? '';
  }

  /** @param former whose page was loaded anew: this one has the same URL, and comes to the next node */
  async open<C extends object>(connect: (url: string) => Promise<C>, former?: object): Promise<C> {
    const way = former === undefined ? await this.#begin() : this.of(former);
    if (former !== undefined) this.#turn(way);
    const client = await connect(way.url);
    this.#ways.set(client, way);
    return client;
  }

  of(client: object): Balancer {
    const way = this.#ways.get(client);
    if (way === undefined) throw new Error('a client that was not opened here');
    return way;
  }

  /** Lets a client through again, to the next node. */
  letBack(way: Balancer): void {
    this.#turn(way);
    way.open = true;
  }

  async close(): Promise<void> {
    for (const balancer of this.#balancers.splice(0)) await balancer.close();
  }

  async #begin(): Promise<Balancer> {
    const balancer = await Balancer.start(this.url);
    this.#balancers.push(balancer);
    return balancer;
  }

  #turn(way: Balancer): void {
    way.target = this.#urls[(this.#urls.indexOf(way.target) + 1) % this.#urls.length] ?? '';
  }
}
