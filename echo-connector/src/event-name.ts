/**
 * Event names as Echo's EventFormatter makes them (laravel-echo: src/util/event-formatter.ts). Written anew, so
 * that nothing of laravel-echo is loaded at run time: the page brings its own version, 1.16 or 2.x.
 */

/** What Laravel names the event of every broadcast notification. */
export const notificationEvent = '.Illuminate\\Notifications\\Events\\BroadcastNotificationCreated';

/** `OrderShipped` -> `App\Events\OrderShipped`; a leading dot or backslash leaves the namespace out. */
export function wireEvent(namespace: string | false, event: string): string {
  if (event.startsWith('.') || event.startsWith('\\')) return event.slice(1);
  const full = namespace ? `${namespace}.${event}` : event;
  return full.replaceAll('.', '\\');
}

/** The way back, for `.listenToAll()`: what one would pass to `.listen()` to hear this event. */
export function listenName(namespace: string | false, event: string): string {
  const prefix = namespace ? `${namespace.replaceAll('.', '\\')}\\` : '';
  return prefix && event.startsWith(prefix) ? event.slice(prefix.length) : `.${event}`;
}

/** A whisper's event on the wire, as `.listen()` takes it. */
export function whisperEvent(name: string): string {
  return `.client-${name}`;
}
