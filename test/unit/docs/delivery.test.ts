import { describe, expect, it } from 'vitest';
import { projectFiles, readProjectFile } from '../../architecture/project-files.ts';

const page = await readProjectFile('docs/delivery.md');

/** What stands in backticks in the first column of the table under a heading. */
function firstColumn(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const cells = section.match(/^\| `.*?(?= \| )/gm) ?? [];
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, code = '']) => code));
}

describe('docs/delivery.md', () => {
  it('has every reason of a gap, and none that there is not', async () => {
    const bus = await readProjectFile('server/broker/bus/bus.ts');
    const [, union = ''] = /export type GapReason =(.*?);/s.exec(bus) ?? [];
    const ofTheBus = [...union.matchAll(/'(\w+)'/g)].map(([, reason = '']) => reason);
    expect(ofTheBus.length).toBeGreaterThan(5);
    const joining = await readProjectFile('server/flows/join-channel.ts');
    const ofOneChannel = [...joining.matchAll(/tellGap\(.*?'(\w+)'\)/g)].map(([, reason = '']) => reason);
    const ofOne = [...new Set(ofOneChannel)];
    expect(ofOne).toHaveLength(2);
    expect(firstColumn('Gaps, by reason').sort()).toEqual([...ofTheBus, ...ofOne].sort());
  });

  it('tells lines of the log that the server writes, at their level', async () => {
    const files = await projectFiles('server/*.ts');
    const code = (await Promise.all(files.map(readProjectFile))).join('\n');
    const told = [...page.matchAll(/^\| (info|warn|error) \| `(.+?)`/gm)];
    expect(told.length).toBeGreaterThan(10);
    const levelOf = (line: string) => {
      const at = code.indexOf(`'${line}`);
      if (at < 0) return 'not there';
      return [...code.slice(0, at).matchAll(/\blog\.(\w+)\(/g)].at(-1)?.[1];
    };
    for (const [, level, line = ''] of told) expect({ line, level: levelOf(line) }).toEqual({ line, level });
  });
});
