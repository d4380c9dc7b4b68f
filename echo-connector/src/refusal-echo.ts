/**
 * Tells the two meanings of `subscription_error` apart. Each refused answer to `subscribe` comes with one such
 * event, shortly before or after it; any other one ends a membership (its token expired, the server ended it).
 */
export class RefusalEcho {
  #inFlight = false;
  /** Above 0: events still to come for answers that came first. Below 0: events that came first. */
  #owed = 0;

  asked(): void {
    this.#inFlight = true;
  }

  accepted(): void {
    this.reset();
  }

  /** Returns true if more events came than the refusal accounts for: the membership ended meanwhile. */
  refused(): boolean {
    this.#inFlight = false;
    this.#owed += 1;
    if (this.#owed >= 0) return false;
    this.#owed = 0;
    return true;
  }

  /** The question stays unanswered, or its connection is gone. */
  reset(): void {
    this.#inFlight = false;
    this.#owed = 0;
  }

  /** Returns true if this event ends a membership. */
  event(): boolean {
    if (!this.#inFlight && this.#owed <= 0) return true;
    this.#owed -= 1;
    return false;
  }
}
