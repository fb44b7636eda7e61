/** The screen of top and its lines of text. */
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History, type TopFigures } from '../../../../src/cli/top/figures.js';
import { plainLine } from '../../../../src/cli/top/plain.js';
import { type ScreenOptions, screen } from '../../../../src/cli/top/screen.js';
import { neighbour, type Parts, statusOf } from './statuses.js';

const OPTIONS: ScreenOptions = { columns: 80, rows: 24, colour: false, timeOfDay: '12:03:04', intervalMs: 2000 };

function figuresOf(...parts: Parts[]): TopFigures {
  const history = new History();
  for (const each of parts) history.add(statusOf(each));
  const figures = history.figures();
  if (figures === undefined) throw new Error('no figures');
  return figures;
}

const BUSY = figuresOf(
  { uptimeMs: 80_000 },
  {
    uptimeMs: 82_000,
    mac: {
      airtimeUs: 200_000,
      busyUs: 1_200_000,
      attempts: 5,
      acked: 3,
      unacked: 2,
      backoffs: 4,
      backoffSlots: 31,
      contentionWindow: 16,
    },
    neighbours: [
      neighbour(2, { airtimeUs: 1_000_000, attempts: 12, lossRatio: 0.125, rssiDbm: -71 }),
      neighbour(4, { airtimeUs: 100_000, attempts: 30, lossRatio: 1, lastHeardMs: 12_400 }),
    ],
    unheard: [{ station: 5, attempts: 8 }],
    drops: { 'retry-limit': 3, 'rx-fcs': 1 },
  },
);

describe('the screen of top', () => {
  it('is this, on 80 columns and 24 rows', () => {
    expect(`\n${screen(BUSY, OPTIONS).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      sluice top  sluice0, station 1, radio-9600, up 0:01:22                  12:03:04
      line open, /dev/ttyUSB0; back pressure gate

      channel     last 2 s     last 2 s   0                   50               100 %
      # own         10.0 %       10.0 %  [####                                      ]
      = others      60.0 %       60.0 %  [=========================                 ]
      . idle        30.0 %       30.0 %  [.............                             ]

      window 16 slots of 9 ms   delay p50 41 ms, p99 3.1 s   contending
      queue 12 packets, 6.9 kB (pfifo_fast), waiting 2.4 s
      attempts 5: 3 acknowledged, 2 not, 0 broadcast   backoffs 4   slots 31

      station heard       airtime             loss     RSSI     attempts
      2       300 ms ago  50.0 %   =====      12.5 %   -71 dBm  12       ! takes most
      4       12.4 s ago  5.0 %    =          100.0 %  -        30       ! deaf to us?
      5       never       0.0 %               100.0 %  -        8        ! never heard

      drops    retry-limit 3 (+3)  rx-fcs 1 (+1)





      q quits; every 2 s; loss: of our latest attempts; (+N): new
      "
    `);
  });

  it('says what is wrong at its top', () => {
    const stuck = figuresOf({ mac: { carrierStuck: true }, line: { state: 'lost' } });
    expect(screen(stuck, OPTIONS).slice(2, 4)).toEqual([
      '! line lost: nothing is sent or heard',
      '! stuck carrier: busy without end, no longer believed; check squelch and wiring',
    ]);
    expect(screen(BUSY, { ...OPTIONS, silentMs: 5000 })[2]).toBe('! no answer from the bridge for 5.0 s; asking again');
  });

  it('tells all that is wrong on a small terminal too, in whole words', () => {
    const wrong = figuresOf({
      mac: { carrierStuck: true },
      line: { state: 'lost' },
      neighbours: [2, 3, 4, 5, 6].map((station) => neighbour(station, { attempts: 20, lossRatio: 1 })),
    });
    expect(screen(wrong, { ...OPTIONS, columns: 40, rows: 10 })).toEqual([
      'sluice top  sluice0, station 1, radio-96',
      '! line lost: nothing is sent or heard',
      '! stuck carrier: busy without end, no',
      '  longer believed; check squelch and',
      '  wiring',
      '! station 2 deaf to us?, station 3 deaf',
      '  to us?, station 4 deaf to us?, 2 more',
      'line lost, /dev/ttyUSB0; back pressure g',
      'channel    last 10 s    last 10 s  ',
      'q quits; every 2 s; loss: of our latest ',
    ]);
    // Where nothing is wrong, the figures have its place.
    expect(screen(figuresOf({}), { ...OPTIONS, columns: 40, rows: 10 })[7]).toMatch(/^queue 12 packets/);
  });

  it('says when hardly a frame explains why the channel is busy, not when frames do', () => {
    const heard = (us: number): string | undefined =>
      screen(figuresOf({ mac: { busyUs: 9_000_000 }, neighbours: [neighbour(2, { airtimeUs: us })] }), OPTIONS)[2];
    expect(heard(1_000_000)).toBe('! busy 90.0 %, hardly a frame in it: noise, open squelch, strangers?');
    expect(heard(3_000_000)).toBe('');
  });

  it('tells of a stuck carrier as long as it is within the minute', () => {
    const was = { uptimeMs: 30_000, mac: { stuckUs: 8_000_000 } };
    expect(screen(figuresOf({ uptimeMs: 20_000 }, was), OPTIONS)[2]).toMatch(/^! stuck carrier/);
    expect(screen(figuresOf(was, { ...was, uptimeMs: 50_000 }), OPTIONS)[2]).toBe('');
  });

  it('says the same with colours as without', () => {
    const coloured = screen(BUSY, { ...OPTIONS, colour: true });
    expect(coloured.join('')).toContain('\u001b[');
    expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(screen(BUSY, OPTIONS));
  });

  it('fits every terminal, whatever there is to tell', () => {
    const size = fc.record({ columns: fc.integer({ min: 20, max: 300 }), rows: fc.integer({ min: 5, max: 100 }) });
    const stations = fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { maxLength: 60 });
    fc.assert(
      fc.property(size, stations, fc.nat(), fc.boolean(), (fits, numbers, attempts, colour) => {
        const figures = figuresOf({
          uptimeMs: 1e9,
          neighbours: numbers.map((station) => neighbour(station, { attempts, lossRatio: 1, rssiDbm: -120 })),
          drops: { 'retry-limit': attempts, 'rx-not-for-us': 1e9, 'rx-own-address': 1e9, 'rx-tap-refused': 1e9 },
          mac: { carrierStuck: true, contentionWindow: 1e6 },
        });
        const lines = screen(figures, { ...OPTIONS, ...fits, colour, silentMs: 1e7 });
        expect(lines).toHaveLength(fits.rows);
        for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(fits.columns);
      }),
    );
  });

  it('keeps the neighbours that have something to tell, where not all have room', () => {
    const figures = figuresOf({
      neighbours: Array.from({ length: 100 }, (_, i) =>
        neighbour(i + 2, i === 70 ? { attempts: 20, lossRatio: 1 } : i === 50 ? { airtimeUs: 1_000_000 } : {}),
      ),
    });
    const text = screen(figures, OPTIONS).join('\n');
    expect(text).toMatch(/^72 .*! deaf to us\?$/m);
    expect(text).toMatch(/^52 .* 10\.0 %/m);
    const more = Number(/^and (\d+) more$/m.exec(text)?.[1]);
    expect(text.match(/^\d+ +300 ms ago/gm)).toHaveLength(100 - more);
  });
});

describe('top without a terminal', () => {
  it('tells the same in a line', () => {
    expect(plainLine(BUSY, '12:03:04')).toMatchInlineSnapshot(
      `"12:03:04 sluice0 last 2 s; own 10.0 %, others 60.0 %, idle 30.0 %; window 16; delay p50 41 ms, p99 3.1 s; queue 12, 6.9 kB, 2.4 s; attempts 5, 3 acknowledged, 2 not; station 2 airtime 50.0 %, loss 12.5 %, -71 dBm, ! takes most; station 4 airtime 5.0 %, loss 100.0 %, ! deaf to us?; station 5 never heard, loss 100.0 %; drops retry-limit 3 (+3), rx-fcs 1 (+1)"`,
    );
    expect(plainLine(figuresOf({ mac: { carrierStuck: true } }), '12:03:04')).toMatch(/; ! stuck carrier: [^;]+; /);
  });
});
