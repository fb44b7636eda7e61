-- Wireshark dissector of the link frame, version 1 (src/wire/link-frame.md). Lua 5.2 to 5.4.
-- Use: put it into Wireshark's folder of personal Lua plugins, or tshark -X lua_script:sluice.lua

local sluice = Proto("sluice", "sluice link frame")

local TYPES = {
  [1] = "ip", [2] = "arp", [3] = "ethernet", [4] = "ack", [5] = "fragment", [6] = "aggregate", [7] = "poll",
  [8] = "rts", [9] = "cts", [10] = "identification", [11] = "piggyback",
}
-- What something may come along with.
local CARRIERS = { [0] = "acks", [1] = "ip", [2] = "arp", [3] = "ethernet", [5] = "fragment", [6] = "aggregate" }
local KINDS = { [1] = "ip", [2] = "arp", [3] = "ethernet" }
local HEADER_BYTES = 4
local BROADCAST = 255
local RESERVATION_STEP_US = 10

local fields = {
  version = ProtoField.uint8("sluice.version", "Version", base.DEC, nil, 0xc0),
  type = ProtoField.uint8("sluice.type", "Type", base.DEC, TYPES, 0x3c),
  more = ProtoField.bool("sluice.more", "More follows", 8, nil, 0x02),
  retry = ProtoField.bool("sluice.retry", "Sent before", 8, nil, 0x01),
  destination = ProtoField.uint8("sluice.destination", "Destination", base.DEC),
  source = ProtoField.uint8("sluice.source", "Source", base.DEC),
  sequence = ProtoField.uint8("sluice.sequence", "Sequence", base.DEC, nil, 0xf8),
  behind = ProtoField.uint8("sluice.behind", "Oldest unsettled frame behind this one by", base.DEC, nil, 0x07),
  fcs = ProtoField.bytes("sluice.fcs", "Frame check sequence"),
  fcs_good = ProtoField.bool("sluice.fcs.good", "Frame check sequence is right"),
  bitmap = ProtoField.uint8("sluice.ack.bitmap", "Arrived beyond what is expected next", base.HEX),
  arrived = ProtoField.string("sluice.ack.arrived", "Arrived out of order"),
  carrier = ProtoField.uint8("sluice.piggyback.type", "Type of what follows", base.DEC, CARRIERS, 0xf0),
  later = ProtoField.bool("sluice.piggyback.later", "Acknowledgement may wait", 8, nil, 0x08),
  carried = ProtoField.uint8("sluice.piggyback.acks", "Acknowledgements", base.DEC, nil, 0x07),
  carried_to = ProtoField.uint8("sluice.piggyback.to", "For station", base.DEC),
  carried_next = ProtoField.uint8("sluice.piggyback.next", "Expected next", base.DEC, nil, 0xf8),
  carried_bitmap = ProtoField.uint8("sluice.piggyback.bitmap", "Arrived beyond that", base.HEX),
  reservation = ProtoField.uint32("sluice.reservation_us", "Channel taken for, in microseconds", base.DEC),
  identification = ProtoField.string("sluice.identification", "Station", base.UNICODE),
  packet = ProtoField.uint8("sluice.fragment.packet", "Packet", base.DEC),
  last = ProtoField.bool("sluice.fragment.last", "Last fragment", 8, nil, 0x80),
  index = ProtoField.uint8("sluice.fragment.index", "Index", base.DEC, nil, 0x7f),
  data = ProtoField.bytes("sluice.fragment.data", "Part of a packet"),
  whole = ProtoField.uint16("sluice.fragment.whole_bytes", "Packet is whole, octets", base.DEC),
  kind = ProtoField.uint8("sluice.kind", "Kind of packet", base.DEC, KINDS, 0xf0),
  length = ProtoField.uint16("sluice.length", "Length", base.DEC, nil, 0x0fff),
}
sluice.fields = fields

local experts = {
  truncated = ProtoExpert.new("sluice.truncated", "Octets are missing", expert.group.MALFORMED, expert.severity.ERROR),
  malformed = ProtoExpert.new("sluice.malformed", "No sender sends this", expert.group.MALFORMED, expert.severity.ERROR),
  fcs = ProtoExpert.new("sluice.fcs.bad", "Frame check sequence is wrong", expert.group.CHECKSUM, expert.severity.ERROR),
  version = ProtoExpert.new("sluice.newer", "Version not known", expert.group.UNDECODED, expert.severity.WARN),
  reassembly = ProtoExpert.new("sluice.fragment.bad", "Fragments of different packets",
    expert.group.REASSEMBLE, expert.severity.WARN),
}
sluice.experts = experts

-- Exclusive or, whatever the version of Lua.
local bits = bit32 or bit
local bxor = bits and bits.bxor or load("return function(a, b) return a ~ b end")()

-- The remainders of each octet, for a reflected polynomial.
local function crc_table(polynomial)
  local remainders = {}
  for octet = 0, 255 do
    local remainder = octet
    for _ = 1, 8 do
      local odd = remainder % 2 == 1
      remainder = (remainder - remainder % 2) / 2
      if odd then remainder = bxor(remainder, polynomial) end
    end
    remainders[octet] = remainder
  end
  return remainders
end

-- CRC-16/X-25 (RFC 1662 appendix C.2) and CRC-32C (RFC 3720 section 12.1), both reflected.
local CHECKS = {
  [2] = { remainders = crc_table(0x8408), ones = 0xffff },
  [4] = { remainders = crc_table(0x82f63b78), ones = 0xffffffff },
}

local function crc(octets, from, to, bytes)
  local check = CHECKS[bytes]
  local remainders, value = check.remainders, check.ones
  for at = from, to do
    local low = value % 256
    value = bxor((value - low) / 256, remainders[bxor(low, octets:byte(at))])
  end
  -- Some bxor give negative numbers for the upper half.
  return bxor(value, check.ones) % (check.ones + 1)
end

-- Whether octets from..to are followed by their own check, least significant octet first.
local function check_follows(octets, from, to, bytes)
  local value = crc(octets, from, to, bytes)
  for at = to + 1, to + bytes do
    if octets:byte(at) ~= value % 256 then return false end
    value = (value - value % 256) / 256
  end
  return true
end

local arp, ethernet = Dissector.get("arp"), Dissector.get("eth_withoutfcs")
local ip = { [4] = Dissector.get("ip"), [6] = Dissector.get("ipv6") }
local IP_HEADER_BYTES = { [4] = 20, [6] = 40 }

-- Hands a packet on to Wireshark's own dissectors. Gives what is wrong with it, or nil.
local function packet(kind, tvb, pinfo, root)
  local bytes = tvb:len()
  if kind == "arp" then
    if bytes ~= 28 then return bytes < 28 and experts.truncated or experts.malformed end
    arp:call(tvb, pinfo, root)
  elseif kind == "ethernet" then
    if bytes < 14 then return experts.truncated end
    ethernet:call(tvb, pinfo, root)
  else
    local version = tvb:range(0, 1):bitfield(0, 4)
    if ip[version] == nil or bytes < IP_HEADER_BYTES[version] then return experts.malformed end
    ip[version]:call(tvb, pinfo, root)
  end
end

-- By sender and receiver, then number of the packet: its parts by index. Wholes by number of the frame that ended them.
local parts, wholes = {}, {}
function sluice.init()
  parts, wholes = {}, {}
end

-- The whole packet, once its last part has come; repetitions of frames change nothing.
local function join(key, id, index, is_last, data)
  local packets = parts[key] or {}
  parts[key] = packets
  -- Numbers come round again: what is half a round old is given up.
  packets[(id + 128) % 256] = nil
  local one = packets[id]
  if one == nil or (one[index] ~= nil and one[index] ~= data) then one = {} end
  packets[id] = one
  if one.done then return nil end
  one[index] = data
  if is_last then one.last = index end
  if one.last == nil then return nil end
  local all = {}
  for at = 0, one.last do
    if one[at] == nil then return nil end
    all[#all + 1] = one[at]
  end
  one.done = true
  return table.concat(all)
end

local function fragment(body, pinfo, tree, root, addresses)
  if body:len() < 3 then return experts.truncated end
  local id, control, data = body:range(0, 1), body:range(1, 1), body:range(2)
  tree:add(fields.packet, id)
  tree:add(fields.last, control)
  tree:add(fields.index, control)
  tree:add(fields.data, data)
  local is_last, index = control:bitfield(0, 1) == 1, control:bitfield(1, 7)
  pinfo.cols.info:append(", packet " .. id:uint() .. " part " .. index .. (is_last and ", the last" or ""))
  if not pinfo.visited then wholes[pinfo.number] = join(addresses, id:uint(), index, is_last, data:raw()) end
  local whole = wholes[pinfo.number]
  if whole == nil then return nil end
  -- One octet of kind, the packet, CRC-16 over both.
  local bytes = #whole - 3
  local kind = KINDS[whole:byte(1)]
  if kind == nil or bytes < 1 then return experts.malformed end
  if not check_follows(whole, 1, #whole - 2, 2) then return experts.reassembly end
  tree:add(fields.whole, bytes):set_generated()
  pinfo.cols.info:fence()
  return packet(kind, ByteArray.new(whole:sub(2, -3), true):tvb("Reassembled packet"), pinfo, root)
end

local function aggregate(body, pinfo, tree, root)
  local at = 0
  while at < body:len() do
    if body:len() - at < 2 then return experts.malformed end
    local head = body:range(at, 2)
    tree:add(fields.kind, body:range(at, 1))
    tree:add(fields.length, head)
    local kind, bytes = KINDS[head:bitfield(0, 4)], head:bitfield(4, 12)
    if kind == nil or bytes == 0 or at + 2 + bytes > body:len() then return experts.malformed end
    local wrong = packet(kind, body:range(at + 2, bytes):tvb(), pinfo, root)
    if wrong ~= nil then return wrong end
    pinfo.cols.info:append("; ")
    pinfo.cols.info:fence()
    at = at + 2 + bytes
  end
end

-- Bit i: the frame `sequence` + i has arrived. Bit 0 never is.
local function acknowledgement(body, pinfo, tree, _, _, sequence)
  if body == nil then return nil end
  local bitmap = body:range(0, 1):uint()
  if body:len() > 1 or bitmap % 2 == 1 then return experts.malformed end
  local arrived = {}
  for i = 1, 7 do
    if body:range(0, 1):bitfield(7 - i, 1) == 1 then arrived[#arrived + 1] = (sequence + i) % 32 end
  end
  tree:add(fields.bitmap, body:range(0, 1))
  tree:add(fields.arrived, body:range(0, 1), table.concat(arrived, " ")):set_generated()
  pinfo.cols.info:append(", has " .. table.concat(arrived, " "))
end

local function nothing(body)
  if body ~= nil then return experts.malformed end
end

local function reservation(body, pinfo, tree)
  if body == nil or body:len() ~= 3 then return experts.malformed end
  local us = body:range(0, 3):uint() * RESERVATION_STEP_US
  tree:add(fields.reservation, body:range(0, 3), us)
  pinfo.cols.info:append(", " .. us .. " us")
end

local function identification(body, pinfo, tree)
  tree:add(fields.identification, body:range(), body:range():string(ENC_UTF_8))
  pinfo.cols.info:append(", " .. body:range():string(ENC_UTF_8))
end

local BODIES = {
  ack = acknowledgement, poll = nothing, acks = nothing, rts = reservation, cts = reservation, identification = identification,
  fragment = fragment, aggregate = aggregate,
}
-- Without these a frame has a body.
local EMPTY_BODY = { ack = true, poll = true, acks = true }
local NEVER_TO_ALL = { ack = true, poll = true, rts = true, cts = true, acks = true }
local NEVER_BEHIND = { ack = true, poll = true, rts = true, cts = true, identification = true, acks = true }

-- What comes along before a body. Gives what the body is of, and the body; nothing when that contradicts itself.
local function piggyback(body, pinfo, tree, more, destination)
  if body == nil then return nil end
  local first = body:range(0, 1)
  tree:add(fields.carrier, first)
  tree:add(fields.later, first)
  tree:add(fields.carried, first)
  local kind, later, count = CARRIERS[first:bitfield(0, 4)], first:bitfield(4, 1) == 1, first:bitfield(5, 3)
  local at = 1
  for _ = 1, count do
    if body:len() < at + 2 then return nil end
    local station, order = body:range(at, 1), body:range(at + 1, 1)
    if station:uint() == 0 or station:uint() == BROADCAST or order:bitfield(5, 2) ~= 0 then return nil end
    tree:add(fields.carried_to, station)
    tree:add(fields.carried_next, order)
    at = at + 2
    if order:bitfield(7, 1) == 1 then
      if body:len() < at + 1 then return nil end
      local bitmap = body:range(at, 1)
      if bitmap:uint() == 0 or bitmap:uint() % 2 == 1 then return nil end
      tree:add(fields.carried_bitmap, bitmap)
      at = at + 1
    end
    pinfo.cols.info:append(", acknowledges to " .. station:uint())
  end
  if later and (more or destination == BROADCAST or kind == "acks") then return nil end
  if not later and count == 0 then return nil end
  return kind, body:len() > at and body:range(at):tvb() or nil
end

-- Rule 4 for receivers, but for the bodies that have a function of their own.
local function impossible(kind, destination, source, behind, body)
  return kind == nil or destination == 0 or source == 0 or source == BROADCAST
    or (NEVER_TO_ALL[kind] and destination == BROADCAST)
    or (kind == "identification" and destination ~= BROADCAST)
    or (NEVER_BEHIND[kind] and behind ~= 0)
    or (body == nil and not EMPTY_BODY[kind])
end

-- The link type says how long the FCS is.
local encapsulation = Field.new("frame.encap_type")
local USER0 = (wtap_encaps or wtap).USER0

function sluice.dissector(tvb, pinfo, root)
  local fcs_bytes = encapsulation().value - USER0
  local bytes = tvb:len()
  pinfo.cols.protocol = "sluice"
  pinfo.cols.info:clear()
  local tree = root:add(sluice, tvb:range())
  local function wrong(expert)
    tree:add_proto_expert_info(expert)
    return bytes
  end
  if bytes < HEADER_BYTES + fcs_bytes then return wrong(experts.truncated) end

  if fcs_bytes > 0 then
    local fcs = tvb:range(bytes - fcs_bytes, fcs_bytes)
    local good = check_follows(tvb:raw(), 1, bytes - fcs_bytes, fcs_bytes)
    tree:add_le(fields.fcs, fcs)
    tree:add(fields.fcs_good, fcs, good):set_generated()
    -- Nothing in the frame means anything, then.
    if not good then return wrong(experts.fcs) end
  end
  local control, order = tvb:range(0, 1), tvb:range(3, 1)
  tree:add(fields.version, control)
  local version = control:bitfield(0, 2)
  if version ~= 1 then return wrong(version > 1 and experts.version or experts.malformed) end
  tree:add(fields.type, control)
  tree:add(fields.more, control)
  tree:add(fields.retry, control)
  tree:add(fields.destination, tvb:range(1, 1))
  tree:add(fields.source, tvb:range(2, 1))
  tree:add(fields.sequence, order)
  tree:add(fields.behind, order)

  local kind = TYPES[control:bitfield(2, 4)]
  local destination, source = tvb:range(1, 1):uint(), tvb:range(2, 1):uint()
  local sequence, behind = order:bitfield(0, 5), order:bitfield(5, 3)
  local body_bytes = bytes - HEADER_BYTES - fcs_bytes
  local body = nil
  if body_bytes > 0 then body = tvb:range(HEADER_BYTES, body_bytes):tvb() end
  if kind == "piggyback" then
    pinfo.cols.info:clear()
    kind, body = piggyback(body, pinfo, tree, control:bitfield(6, 1) == 1, destination)
  end
  if impossible(kind, destination, source, behind, body) then return wrong(experts.malformed) end

  pinfo.cols.src = "station " .. source
  pinfo.cols.dst = destination == BROADCAST and "all stations" or "station " .. destination
  pinfo.cols.info:prepend(kind .. " " .. sequence)
  local summary = source .. " > " .. (destination == BROADCAST and "all" or destination) .. " " .. kind .. " " .. sequence
  if control:bitfield(7, 1) == 1 then
    summary = summary .. ", sent before"
    pinfo.cols.info:append(", sent before")
  end
  tree:append_text(", " .. summary)
  local read = BODIES[kind]
  local expert
  if read ~= nil then
    expert = read(body, pinfo, tree, root, source * 256 + destination, sequence)
  else
    expert = packet(kind, body, pinfo, root)
  end
  if expert ~= nil then return wrong(expert) end
  return bytes
end

for _, fcs_bytes in ipairs({ 0, 2, 4 }) do
  DissectorTable.get("wtap_encap"):add(USER0 + fcs_bytes, sluice)
end
