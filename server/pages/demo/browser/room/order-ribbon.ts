import { find, make } from '../elements.ts';
import { type Heard, OneOrder, type OrderColumn, verdictOf } from './one-order.ts';

/** Enough for a wide screen; the ribbon scrolls on a narrow one. */
const SHOWN_COLUMNS = 24;

export interface OrderRibbon {
  record(pane: number, heard: Heard): void;
}

/** @param colourOf the pane whose user said it, for its colour; `other` for people of other tabs, `laravel` */
export function createOrderRibbon(
  root: HTMLElement,
  paneNames: readonly string[],
  colourOf: (senderId: number | string) => string,
): OrderRibbon {
  const order = new OneOrder(paneNames.length);
  const verdict = find(root, '[data-verdict]', HTMLElement);
  const rows = paneNames.map((_, pane) => find(root, `[data-order-row="${pane}"]`, HTMLElement));

  const cell = (column: OrderColumn, pane: number): HTMLElement => {
    const number = column.numbers[pane] ?? null;
    const heard = column.heardBy[pane] === true;
    const differs = new Set(column.numbers).size > 1;
    const item = make('li', 'order-cell', number === null ? (heard ? '•' : '') : String(number));
    item.dataset.colour = colourOf(column.senderId);
    item.dataset.state = heard ? (differs ? 'differs' : number === null ? 'alone' : 'same') : 'unheard';
    item.title = heard ? `${column.senderName}: ${column.text}` : 'not for this pane';
    return item;
  };

  const draw = (): void => {
    const all = order.columns();
    const shown = all.slice(-SHOWN_COLUMNS);
    rows.forEach((row, pane) => {
      row.replaceChildren(...shown.map((column) => cell(column, pane)));
      row.scrollLeft = row.scrollWidth;
    });
    const { shared, same } = verdictOf(all);
    if (shared === 0) return;
    verdict.dataset.verdict = same ? 'same' : 'differs';
    const messages = shared === 1 ? '1 message' : `${shared} messages`;
    verdict.textContent = same ? `${messages}, one order in all three` : 'The panes heard different orders';
  };

  return {
    record: (pane, heard) => {
      order.record(pane, heard, performance.now());
      draw();
    },
  };
}
