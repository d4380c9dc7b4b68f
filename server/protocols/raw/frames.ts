import type { Broadcast } from '../../domain/broadcast.ts';
import type { Frame } from '../../domain/frame.ts';
import type { Audience, Protocol } from '../../domain/protocol.ts';
import { encodeGap, encodeMessage, encodePosition, encodePresence } from './encode.ts';

/** What raw clients are sent: room messages and presence; a Laravel event has no frame here (section 1, the table). */
class RawFrames implements Protocol {
  readonly name = 'raw';

  deliver(audience: Audience, broadcast: Broadcast, position: string | null): void {
    switch (broadcast.type) {
      case 'message':
        audience.write(this.encodeMessage(broadcast, position));
        return;
      case 'joined':
      case 'left':
        audience.write(encodePresence(broadcast.type, broadcast.member));
        return;
      case 'gap':
        this.deliverGap(audience, broadcast.reason, position);
        return;
      case 'event':
        return;
      default:
        broadcast satisfies never;
    }
  }

  protected encodeMessage(
    { sender, data }: Extract<Broadcast, { type: 'message' }>,
    _position: string | null,
  ): Frame {
    return encodeMessage(sender, data, null);
  }

  protected deliverGap(_audience: Audience, _reason: string, _position: string | null): void {}
}

/** For clients that asked for positions by `since`. A protocol of its own, so that the others' frames stay as they were. */
class PositionedRawFrames extends RawFrames {
  encodePosition(position: string): Frame {
    return encodePosition(position);
  }

  protected override encodeMessage(
    { sender, data }: Extract<Broadcast, { type: 'message' }>,
    position: string | null,
  ): Frame {
    return encodeMessage(sender, data, position);
  }

  protected override deliverGap(audience: Audience, reason: string, position: string | null): void {
    audience.write(encodeGap(reason, position));
  }
}

export const rawFrames: Protocol = new RawFrames();
export const positionedRawFrames: Protocol = new PositionedRawFrames();
