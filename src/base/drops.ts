/** Every way in which a frame can end without reaching its receiver. One counter each; nothing is lost unseen. */

export const DROP_CAUSES = {
  // Outbound: read from the TAP, never delivered.
  'retry-limit': 'unicast frame given up after the last retry went unacknowledged',
  deadline: 'frame older than its deadline before it could be sent',
  'no-neighbour': 'no station is known for the destination address',
  'too-long': 'frame longer than the modem can carry',
  'not-encapsulable': 'frame of a kind that this encapsulation cannot carry',
  'line-down': 'frame in hand when the line to the modem was lost',
  'modem-refused': 'the modem reported that it did not send the frame',
  'tap-short': 'frame from the TAP too short to have an Ethernet header',
  shutdown: 'frame in hand when the daemon stopped',
  'chatter-arp': 'ARP kept off the air: announcement, or a question nobody can answer',
  'chatter-nd': 'IPv6 neighbour or router discovery kept off the air',
  'chatter-mld': 'IPv6 multicast listener report kept off the air',
  'chatter-igmp': 'IPv4 group membership report kept off the air',
  'chatter-mdns': 'multicast DNS kept off the air',
  'chatter-llmnr': 'link-local name resolution kept off the air',
  'chatter-ssdp': 'service discovery kept off the air',
  'chatter-dhcp': 'DHCP kept off the air',
  // Inbound: octets or frames that came from the line and went no further.
  'rx-framing': 'octets outside a frame, or a broken frame, from the line',
  'rx-other': 'frame from the modem for another port, or of a kind that this driver does not use',
  'rx-too-long': 'frame from the line longer than any that we accept',
  'rx-fcs': 'frame check sequence wrong',
  'rx-truncated': 'frame shorter than its header says',
  'rx-version': 'link frame of a version that we do not know',
  'rx-malformed': 'link frame whose content makes no sense',
  'rx-fragment': 'packet of which a fragment is missing, or whose fragments do not fit together',
  'rx-duplicate': 'frame that had been delivered before',
  'rx-not-for-us': 'frame between others, or our own heard back, on an encapsulation with addresses',
  'rx-own-address': 'another station uses our address',
  'rx-tap-refused': 'the kernel refused a received frame',
} as const;

export type DropCause = keyof typeof DROP_CAUSES;

/** Counts by cause. `count` is the whole interface; reading gives only the causes that occurred. */
export class DropCounters {
  readonly #counts = new Map<DropCause, number>();

  count(cause: DropCause, frames = 1): void {
    this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + frames);
  }

  get(cause: DropCause): number {
    return this.#counts.get(cause) ?? 0;
  }

  toJSON(): Partial<Record<DropCause, number>> {
    return Object.fromEntries(this.#counts);
  }
}
