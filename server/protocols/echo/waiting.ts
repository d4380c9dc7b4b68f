import { isRejection, type Rejection } from '../../domain/outcome.ts';
import { type Fields, isRecord, toJsonText } from './decode.ts';

/** A command as it waits for its turn: its data is JSON text already, so that what it holds can be counted. */
export interface Waiting {
  readonly fields: Fields;
  /** `null` where it has none. */
  readonly dataText: string;
  /** Whether the data is an object, as `send` wants it. */
  readonly hasHash: boolean;
  /** About what it holds, in bytes. */
  readonly bytes: number;
}

/** @param given of which `data` is nobody's but the receivers' */
export function weigh({ data, ...fields }: Fields): Waiting | Rejection {
  const [dataText, rest] = [toJsonText(data), toJsonText(fields)];
  if (isRejection(dataText)) return dataText;
  if (isRejection(rest)) return rest;
  return { fields, dataText, hasHash: isRecord(data), bytes: dataText.length + rest.length };
}
