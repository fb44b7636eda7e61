/** LoRa modules behind commands, and XBee: the exact dialogue, and what comes between. */
import { describe, expect, it } from 'vitest';
import { loraAirtimeUs } from '../../../../src/modem/airtime.js';
import { bench, hex } from './bench.js';

type Bench = ReturnType<typeof bench>;

const said = ({ line }: Bench): string[] => line.written.map((octets) => Buffer.from(octets).toString('latin1'));
const say = ({ driver }: Bench, text: string): void => driver.lineData(Buffer.from(text, 'latin1'));
/** What the diary says, without the time. */
const told = ({ diary }: Bench): string[] => diary.entries.map((entry) => entry.slice(entry.indexOf(' ') + 1));

/** Answers every command until the driver is ready, or `rounds` are over. */
function lead(bed: Bench, answer: (command: string) => string, rounds = 60): void {
  for (let i = 0, seen = 0; i < rounds && !told(bed).includes('ready'); i++) {
    const command = said(bed)[seen];
    if (command === undefined) bed.time.runFor(100_000);
    else {
      seen++;
      say(bed, answer(command));
    }
  }
  expect(told(bed)).toContain('ready');
  bed.diary.entries.length = 0;
}

function ready(profile: string, answer: (command: string) => string, settings: readonly string[] = []): Bench {
  const bed = bench(profile, settings);
  lead(bed, answer);
  return bed;
}

const rylr = (settings: readonly string[] = []): Bench => ready('rylr998-sf9', () => '+OK\r\n', settings);
const rn = (): Bench =>
  ready('rn2483-sf7', (command) => {
    if (command.startsWith('sys get ver')) return 'RN2483 1.0.5 Oct 31 2018 15:06:52\r\n';
    return command.startsWith('mac pause') ? '4294967245\r\n' : 'ok\r\n';
  });

const XBEE = 'xbee-digimesh-24';
/** Frame data of an API frame in mode 1, as the other side would send it. */
function api(data: string): string {
  const octets = hex(data);
  const sum = 0xff - (octets.reduce((total, octet) => total + octet, 0) & 0xff);
  return String.fromCharCode(0x7e, octets.length >> 8, octets.length & 0xff, ...octets, sum);
}
const xbee = (): Bench =>
  ready(
    XBEE,
    (command) => {
      const value = command.slice(5, 7) === 'NP' ? '0048' : '';
      return api(`88${Buffer.from(command.slice(4, 7), 'latin1').toString('hex')}00${value}`);
    },
    ['driver.apiMode=1'],
  );

describe('RYLR', () => {
  it('sets up the module, then what the profile adds', () => {
    const bed = rylr(['driver.init=[{send: AT+CPIN=00112233445566778899AABBCCDDEEFF, expect: +OK}]']);
    expect(said(bed).map((text) => text.trimEnd())).toEqual([
      'AT',
      'AT',
      'AT+MODE=0',
      'AT+ADDRESS=1',
      'AT+NETWORKID=18',
      'AT+BAND=915000000',
      'AT+PARAMETER=9,7,1,12',
      'AT+CRFOP=22',
      'AT+CPIN=00112233445566778899AABBCCDDEEFF',
    ]);
  });

  it('gives the profile’s own steps up after their retries, and begins anew', () => {
    const bed = bench('rylr998-sf9', ['driver.init=[{send: AT+X, expect: +X, timeoutMs: 100, retries: 1}]']);
    for (let i = 0, seen = 0; i < 40; i++) {
      const command = said(bed)[seen];
      if (command === undefined) bed.time.runFor(100_000);
      else {
        seen++;
        if (!command.startsWith('AT+X')) say(bed, '+OK\r\n');
      }
    }
    const commands = said(bed).map((text) => text.trimEnd());
    const first = commands.indexOf('AT+X');
    expect(commands.slice(first, first + 4)).toEqual(['AT+X', 'AT+X', 'AT', 'AT']);
    expect(told(bed)).not.toContain('ready');
  });

  it('reckons the airtime of hexadecimal digits and of the module’s own octets', () => {
    const { timing } = rylr().driver;
    const modulation = {
      ...{ spreadingFactor: 9, bandwidthHz: 125_000, codingRate: 5, preambleSymbols: 12 },
      ...{ explicitHeader: true, crc: true },
    };
    expect(timing.airtimeUs(100)).toBe(loraAirtimeUs(modulation, 208));
    // Nobody hears of a frame before it is over.
    expect(timing.carrierDetectUs).toBeGreaterThan(timing.airtimeUs(120));
  });

  it('does not take an error of reception for the reply', () => {
    const bed = rylr();
    bed.line.written.length = 0;
    bed.driver.transmit(hex('c0ffee'));
    expect(said(bed)).toEqual(['AT+SEND=0,6,C0FFEE\r\n']);
    say(bed, '+ERR=12\r\n');
    say(bed, '+OK\r\n');
    expect(told(bed)).toEqual(['discarded rx-fcs 7']);
    const airtimeUs = bed.driver.timing.airtimeUs(3);
    bed.time.runFor(airtimeUs);
    expect(told(bed)).not.toContain('sent');
    bed.time.runFor(5000);
    expect(told(bed)).toContain('sent');
  });

  it('+OK is the end where the profile says so', () => {
    const bed = rylr(['driver.okMeans=sent']);
    bed.driver.transmit(hex('01'));
    bed.time.runFor(1_050_000);
    expect(told(bed)).toEqual([]);
    say(bed, '+OK\r\n');
    expect(told(bed)).toEqual(['sent']);
  });

  it('busy is asked again, and refused in the end', () => {
    const bed = rylr(['driver.busyRetries=2']);
    bed.line.written.length = 0;
    bed.driver.transmit(hex('01'));
    for (let i = 0; i < 3; i++) {
      say(bed, '+ERR=17\r\n');
      bed.time.runFor(50_000);
    }
    expect(said(bed)).toHaveLength(3);
    expect(told(bed)).toEqual(['refused']);
  });

  it('takes a packet by its count, commas and line ends included', () => {
    const bed = rylr(['driver.encoding=raw', 'driver.maxFrameBytes=240']);
    const packet = '+RCV=65535,6,\r\n,\x00,\xff,-99,-7\r\n';
    for (const octet of packet) say(bed, octet);
    expect(told(bed)).toEqual(['busy', 'received 0d0a2c002cff', 'idle']);
  });

  it('prepares a module that restarted anew', () => {
    const bed = rylr();
    bed.driver.transmit(hex('01'));
    say(bed, '+READY\r\n');
    expect(told(bed)).toEqual(['not ready', 'line-down']);
    lead(bed, () => '+OK\r\n');
  });
});

describe('RN2483', () => {
  it('a packet that comes in the place of rxstop’s answer is heard, and then the frame goes', () => {
    const bed = rn();
    bed.line.written.length = 0;
    bed.driver.transmit(hex('beef'));
    expect(said(bed)).toEqual(['radio rxstop\r\n']);
    say(bed, 'radio_rx  00FF\r\n');
    expect(told(bed)).toEqual(['received 00ff']);
    say(bed, 'ok\r\n');
    expect(said(bed).at(-1)).toBe('radio tx BEEF\r\n');
    say(bed, 'radio_err\r\nok\r\n');
    bed.time.runFor(10_000);
    say(bed, 'radio_tx_ok\r\n');
    expect(told(bed).at(-1)).toBe('sent');
    expect(said(bed).at(-1)).toBe('radio rx 0\r\n');
  });

  it('asks for the strength, hands the packet up, and listens again', () => {
    const bed = rn();
    bed.line.written.length = 0;
    say(bed, 'radio_rx 0102\r\n');
    expect(said(bed)).toEqual(['radio get snr\r\n']);
    say(bed, '-7\r\n');
    say(bed, '-101\r\n');
    expect(told(bed)).toEqual(['busy', 'received 0102', 'idle']);
    expect(said(bed).at(-1)).toBe('radio rx 0\r\n');
  });

  it('a frame of the MAC waits for that, and goes without rxstop', () => {
    const bed = rn();
    bed.line.written.length = 0;
    say(bed, 'radio_rx 0102\r\n');
    bed.driver.transmit(hex('aa'));
    say(bed, '-7\r\n-101\r\n');
    expect(said(bed)).toEqual(['radio get snr\r\n', 'radio get rssi\r\n', 'radio tx AA\r\n']);
  });

  it('leaves its receivers time to listen again', () => {
    const bed = rn();
    const long = new Uint8Array(255);
    bed.driver.transmit(long);
    say(bed, 'ok\r\n');
    say(bed, 'ok\r\n');
    say(bed, 'radio_tx_ok\r\n');
    say(bed, 'ok\r\n');
    bed.line.written.length = 0;
    bed.driver.transmit(hex('aa'));
    say(bed, 'ok\r\n');
    expect(said(bed)).toEqual(['radio rxstop\r\n']);
    // The report of 255 octets alone takes 90 ms.
    bed.time.runFor(90_000);
    expect(said(bed)).toHaveLength(1);
    bed.time.runFor(30_000);
    expect(said(bed).at(-1)).toBe('radio tx AA\r\n');
  });
});

describe('RAK3172', () => {
  const ok = (command: string): string => {
    if (command === 'AT+NWM=?\r') return '\r\nAT+NWM=0\r\n\r\nOK\r\n';
    return '\r\nOK\r\n';
  };

  it('sends in hexadecimal, is done when the event comes, and tries again when busy', () => {
    const bed = ready('rak3172-sf7', ok);
    bed.line.written.length = 0;
    bed.driver.transmit(hex('00ff'));
    say(bed, '\r\nAT_BUSY_ERROR\r\n');
    bed.time.runFor(50_000);
    expect(said(bed)).toEqual(['AT+PSEND=00FF\r', 'AT+PSEND=00FF\r']);
    say(bed, '\r\n+EVT:RXP2P:-80:9:AB\r\n\r\nOK\r\n\r\n+EVT:TXP2P DONE\r\n');
    expect(told(bed)).toEqual(['received ab', 'sent']);
  });

  it('a module that has stopped to listen is prepared anew', () => {
    const bed = ready('rak3172-sf7', ok);
    bed.time.runFor(10_000_000);
    expect(said(bed).at(-1)).toBe('AT+PRECV=?\r');
    say(bed, '\r\nAT+PRECV=P2P_RX_OFF\r\n\r\nOK\r\n');
    expect(told(bed)).toEqual(['not ready']);
  });
});

describe('XBee', () => {
  it('a transmit request as in the manual, and its status', () => {
    const bed = xbee();
    bed.line.written.length = 0;
    bed.driver.transmit(hex('4869'));
    const [request = ''] = said(bed);
    const id = request.slice(4, 5);
    const idHex = Buffer.from(id, 'latin1').toString('hex');
    expect(Buffer.from(request, 'latin1').toString('hex').slice(6, -2)).toBe(`10${idHex}000000000000fffffffe00404869`);
    say(bed, api(`8b${idHex}fffe000200`));
    bed.time.runFor(20_000);
    expect(said(bed)).toEqual([request, request]);
    say(bed, api(`8b${idHex}fffe000000`));
    expect(told(bed)).toEqual(['sent']);
  });

  it('a frame longer than the module says is refused', () => {
    const bed = bench(XBEE, ['driver.apiMode=1', 'driver.maxFrameBytes=100']);
    lead(bed, (command) => {
      const value = command.slice(5, 7) === 'NP' ? '0048' : '';
      return api(`88${Buffer.from(command.slice(4, 7), 'latin1').toString('hex')}00${value}`);
    });
    bed.driver.transmit(new Uint8Array(73));
    bed.time.runFor(1);
    expect(told(bed)).toEqual(['refused']);
  });

  it('asks for the strength of what came as 90, takes it from 81', () => {
    const bed = xbee();
    bed.line.written.length = 0;
    say(bed, api('9000 13a200 40112233 fffe 01 4869'));
    expect(said(bed)[0]?.slice(5, 7)).toBe('DB');
    expect(told(bed)).toEqual([]);
    const id = Buffer.from(said(bed)[0]?.slice(4, 5) ?? '', 'latin1').toString('hex');
    say(bed, api(`88${id}4442002a`));
    expect(told(bed)).toEqual(['received 4869']);
    say(bed, api('81 0001 2a 02 abcd'));
    expect(told(bed)).toEqual(['received 4869', 'received abcd']);
  });

  it('a reset of the module is noticed', () => {
    const bed = xbee();
    say(bed, api('8a00'));
    expect(told(bed)).toEqual(['not ready']);
  });
});
