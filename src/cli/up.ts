/** `sluice up`: one bridge in the foreground, until SIGINT or SIGTERM. */
import type { Command } from 'commander';
import { forgetStart } from '../daemon/lean-memory.js';
import { startBridge } from '../daemon/start-bridge.js';
import { mergeConfiguration, parseSetting, type Setting } from '../modem/configuration.js';
import { createLog, LOG_LEVELS, type LogLevel } from '../observe/log.js';
import { append, oneOf, untilSignal, wholeNumber } from './arguments.js';

interface UpOptions {
  config?: string;
  profile?: string;
  port?: string;
  name?: string;
  address?: string[];
  station?: number;
  mtu?: number;
  set?: string[];
  logLevel?: LogLevel;
  logFormat?: 'json' | 'pretty';
  control?: string;
  metrics?: string;
  logFile?: string;
  logInterval?: number;
}

export function addUp(root: Command): void {
  root
    .command('up')
    .description('run one bridge in the foreground')
    .option('-c, --config <file>', 'configuration file (YAML)')
    .option('-p, --profile <id>', 'modem profile; "sluice profiles" lists them')
    .option('--port <line>', 'line to the modem: a device path, or tcp://host:port')
    .option('--name <if>', 'name of the network interface (default sluice0)')
    .option('--address <cidr>', 'address of the interface, such as 10.0.0.1/24; may be given several times', append)
    .option('--station <n>', 'station number, 1 to 254 (default: host part of the first IPv4 address)', wholeNumber)
    .option('--mtu <n>', 'MTU in octets', wholeNumber)
    .option('--set <key=value>', 'one setting, such as air.rateBps=9600; may be given several times', append)
    .option('--log-level <level>', `${LOG_LEVELS.join(', ')} (default info)`, oneOf(...LOG_LEVELS))
    .option(
      '--log-format <format>',
      'json or pretty (default: json when stdout is no terminal)',
      oneOf('json', 'pretty'),
    )
    .option('--log-file <path>', 'write the log to files that take turns, too: x.log stands for x.1.log, x.2.log ...')
    .option('--log-interval <seconds>', 'seconds between two channel lines in the log (default 10)', wholeNumber)
    .option('--control <path>', 'control socket (default /run/sluice/IF.sock)')
    .option('--metrics <[host:]port>', 'serve Prometheus metrics there')
    .action(runUp);
}

function settingsOf(options: UpOptions): Setting[] {
  const flags: [key: string, value: unknown, flag: string][] = [
    ['interface.port', options.port, '--port'],
    ['interface.name', options.name, '--name'],
    ['interface.addresses', options.address, '--address'],
    ['interface.station', options.station, '--station'],
    ['interface.control', options.control, '--control'],
    ['interface.metrics', options.metrics, '--metrics'],
    ['link.mtuBytes', options.mtu, '--mtu'],
    ['log.level', options.logLevel, '--log-level'],
    ['log.file', options.logFile, '--log-file'],
    ['log.intervalS', options.logInterval, '--log-interval'],
  ];
  const given = flags.filter(([, value]) => value !== undefined).map(([key, value, flag]) => ({ key, value, flag }));
  return [...given, ...(options.set ?? []).map(parseSetting)];
}

async function runUp(options: UpOptions): Promise<void> {
  const configuration = mergeConfiguration({
    profile: options.profile,
    file: options.config,
    settings: settingsOf(options),
  });
  const { level, intervalS, file, fileBytes, filesKept } = configuration.log;
  const failed = (cause: Error): void => console.error(`sluice: the log file ${file}: ${cause.message}`);
  const log = createLog({
    level,
    format: options.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    base: { interface: configuration.interface.name, station: configuration.interface.station },
    file:
      file === undefined
        ? undefined
        : await (await import('../observe/log-file.js')).openLogFile({ file, fileBytes, filesKept, failed }),
  });
  const stopRequested = untilSignal();
  const running = await startBridge({ configuration, log, channelIntervalUs: intervalS * 1_000_000 });
  forgetStart();
  const end = await Promise.race([stopRequested, running.lost]);
  if (typeof end === 'string') await running.stop(end);
  else {
    await running.stop('interface-lost');
    throw end;
  }
}
