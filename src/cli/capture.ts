/** `sluice capture`: the frames on the air of a running bridge. */
import type { Command } from 'commander';
import type { CaptureOptions } from './run-capture.js';

export function addCapture(root: Command): void {
  root
    .command('capture')
    .description('show the frames on the air of a running bridge, or write them to a pcapng file, until SIGINT')
    .argument('[if]', 'interface; may be left out when one bridge runs')
    .option('-w, --write <file>', 'write pcapng there; - is standard output')
    .option(
      '--interface-side',
      'the packets of the interface itself instead, whoever made it; needs -w and CAP_NET_RAW',
    )
    .option('--control <path>', 'control socket of the bridge (default /run/sluice/IF.sock)')
    .addHelpText('after', '\nLive: sluice capture -w - | wireshark -k -i -')
    .action(async (name: string | undefined, options: CaptureOptions) => {
      // What only this command needs is loaded only for it.
      const { runCapture } = await import('./run-capture.js');
      await runCapture(name, options);
    });
}
