import { YamabikoBaseChannel } from './channel.ts';
import { MemberList } from './member-list.ts';

/** A channel with a member list. The callbacks get what the token or Laravel says of a user: `{id, name}`. */
abstract class ChannelWithMembers extends YamabikoBaseChannel {
  readonly #members = new MemberList();

  /** Called with all who are here, oneself included: at each subscription, and at once if the list is known. */
  here<User = unknown>(callback: (users: User[]) => void): this {
    this.#members.onHere(callback, this.subscription.isSubscribed);
    return this;
  }

  /** Called when somebody's first connection joins. */
  joining<User = unknown>(callback: (user: User) => void): this {
    this.#members.onMove('presence:joining', callback);
    return this;
  }

  /** Called when somebody's last connection is gone. */
  leaving<User = unknown>(callback: (user: User) => void): this {
    this.#members.onMove('presence:leaving', callback);
    return this;
  }

  override unbind(): void {
    super.unbind();
    this.#members.clear();
  }

  protected override lost(): void {
    this.#members.forget();
  }

  protected override received(event: string, data: unknown): void {
    this.#members.receive(event, data);
  }
}

/** `Echo.channel('X')`: with a token the room X with its members and messages; without one a public channel. */
export class YamabikoChannel extends ChannelWithMembers {}

/** `Echo.private('X')`: no member of the room, but with its messages, and whispers. */
export class YamabikoPrivateChannel extends YamabikoBaseChannel {
  /** Tells the others on this channel something, past Laravel. */
  whisper(eventName: string, data: unknown): this {
    this.sendWhisper(eventName, data);
    return this;
  }
}

/** `Echo.join('X')`: a member of the room, with its messages, and whispers. */
export class YamabikoPresenceChannel extends ChannelWithMembers {
  /** Tells the others on this channel something, past Laravel. */
  whisper(eventName: string, data: unknown): this {
    this.sendWhisper(eventName, data);
    return this;
  }
}
