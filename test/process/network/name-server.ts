/** The records of a name. Each query of a type returns the next list of addresses, in rotation. */
export interface Zone {
  A?: readonly (readonly string[])[];
  AAAA?: readonly (readonly string[])[];
  CNAME?: string;
  /** Never answers. */
  isSilent?: boolean;
}

export interface NameServer {
  /** Every query, as `name type`. */
  readonly queries: string[];
  stop(): void;
}

interface Question {
  name: string;
  type: number;
  /** The offset of its end in the packet. */
  end: number;
}

const HEADER_BYTES = 12;
const TYPES = { A: 1, CNAME: 5, AAAA: 28 };
/** A compression pointer to the name of the question (RFC 1035, 4.1.4). */
const SAME_NAME = [0xc0, HEADER_BYTES];

/**
 * Starts a DNS server on UDP port 53 of a loopback address. Names that are not in `zones` have the
 * records of `otherwise`. All records have a TTL of 0.
 */
export async function startNameServer(
  zones: Readonly<Record<string, Zone>>,
  otherwise: Zone,
  hostname = '127.0.0.1',
): Promise<NameServer> {
  const queries: string[] = [];
  const turns = new Map<string, number>();
  const answersFor = ({ name, type }: Question): Buffer[] => {
    const zone = zones[name] ?? otherwise;
    if (zone.CNAME) {
      const alias = zones[zone.CNAME] ?? otherwise;
      const own = record(SAME_NAME, TYPES.CNAME, encodeName(zone.CNAME));
      return [own, ...addressesOf(alias, zone.CNAME, type, turns)];
    }
    return addressesOf(zone, name, type, turns);
  };
  const socket = await Bun.udpSocket({
    hostname,
    port: 53,
    socket: {
      data(socket, packet, port, address) {
        const question = readQuestion(packet);
        queries.push(`${question.name} ${question.type}`);
        if ((zones[question.name] ?? otherwise).isSilent) return;
        socket.send(answerTo(packet, question, answersFor(question)), port, address);
      },
    },
  });
  return { queries, stop: () => socket.close() };
}

function addressesOf(zone: Zone, name: string, type: number, turns: Map<string, number>): Buffer[] {
  const lists = type === TYPES.A ? zone.A : type === TYPES.AAAA ? zone.AAAA : undefined;
  if (!lists) return [];
  const key = `${name} ${type}`;
  const turn = turns.get(key) ?? 0;
  turns.set(key, turn + 1);
  const owner = encodeName(name);
  return (lists[turn % lists.length] ?? []).map((address) =>
    record(owner, type, type === TYPES.A ? encodeV4(address) : encodeV6(address)),
  );
}

function readQuestion(packet: Buffer): Question {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: packet.readUInt16BE(at + 1), end: at + 5 };
}

function answerTo(packet: Buffer, { end }: Question, answers: Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  packet.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  return Buffer.concat([header, packet.subarray(HEADER_BYTES, end), ...answers]);
}

/** Encodes a record of class IN with a TTL of 0. */
function record(owner: readonly number[], type: number, data: readonly number[]): Buffer {
  return Buffer.from([...owner, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length, ...data]);
}

function encodeName(name: string): number[] {
  return [...name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]), 0];
}

function encodeV4(address: string): number[] {
  return address.split('.').map(Number);
}

function encodeV6(address: string): number[] {
  const [head = '', tail = ''] = address.split('::');
  const [before, after] = [head, tail].map((part) => (part ? part.split(':') : []));
  const zeros = Array<string>(8 - (before?.length ?? 0) - (after?.length ?? 0)).fill('0');
  return [...(before ?? []), ...zeros, ...(after ?? [])].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
