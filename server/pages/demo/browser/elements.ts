/** The element that the page's HTML promises; its absence is a fault of the page, so it throws. */
export function find<T extends Element>(root: ParentNode, selector: string, type: new () => T): T {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${selector}`);
}

/** Text only, never HTML: what other people wrote is shown, not run. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

/** Appends to a list that shows the newest `limit` entries and stays at its end. */
export function appendBounded(list: HTMLElement, entry: HTMLElement, limit: number): void {
  list.append(entry);
  while (list.childElementCount > limit) list.firstElementChild?.remove();
  list.scrollTop = list.scrollHeight;
}
