/**
 * What is done to the outbox, each step atomic in Redis.
 *
 * A lane is a stream; its hash `meta` counts bytes, and what had to give way. Entries are removed one by one as they
 * are told, so that a stream's length is what waits.
 */

/**
 * For scripts that tell what they do. Never throws: a Redis that is full refuses the entry, and neither a leaving nor
 * a message may fail by it.
 */
export const TELL = `
local function told_size(fields)
  local size = 0
  for i = 2, #fields, 2 do size = size + #fields[i] end
  return size
end

local function forget_told(stream, meta, entry)
  redis.call('XDEL', stream, entry[1])
  return redis.call('HINCRBY', meta, 'bytes', -told_size(entry[2]))
end

local function tell(stream, meta, maxEntries, maxBytes, fields)
  local added = redis.pcall('XADD', stream, '*', unpack(fields))
  if type(added) == 'table' and added.err then return 0 end
  local bytes = redis.call('HINCRBY', meta, 'bytes', told_size(fields))
  local dropped = 0
  local length = redis.call('XLEN', stream)
  while length > maxEntries or (bytes > maxBytes and length > 1) do
    bytes = forget_told(stream, meta, redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1])
    length = length - 1
    dropped = dropped + 1
  end
  if dropped > 0 then redis.call('HINCRBY', meta, 'dropped', dropped) end
  return 1
end
`;

/**
 * A message and what Laravel is told of it, so that neither is without the other and both have one order.
 * KEYS: lane, meta. ARGV: entries and bytes at most, channel, payload, then the entry's fields.
 * @returns how many heard it, 1 if it will be told
 */
export const PUBLISH_AND_TELL = `${TELL}
local fields = {}
for i = 5, #ARGV do fields[#fields + 1] = ARGV[i] end
local listeners = redis.call('PUBLISH', ARGV[3], ARGV[4])
return { listeners, tell(KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]), fields) }
`;

/** The same without a message. KEYS: lane, meta. ARGV: entries and bytes at most, fields. */
export const TELL_ALONE = `${TELL}
local fields = {}
for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
return tell(KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]), fields)
`;

/**
 * KEYS: lane, meta, holder. ARGV: node, lease in milliseconds, entries at most, bytes at most.
 * @returns false where another node holds the lane; else entries, length, how many gave way
 */
export const TAKE = `${TELL}
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[1] then return false end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
local entries, bytes, from = {}, 0, '-'
while #entries < tonumber(ARGV[3]) do
  local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 10)
  local ends = #page < 10
  for _, entry in ipairs(page) do
    -- A page begins with the last one of the page before: Redis before 6.2 has no other way.
    if entry[1] ~= from then
      bytes = bytes + told_size(entry[2])
      if #entries > 0 and (bytes > tonumber(ARGV[4]) or #entries >= tonumber(ARGV[3])) then
        ends = true
        break
      end
      entries[#entries + 1] = entry
    end
  end
  if ends then break end
  from = page[#page][1]
end
local dropped = tonumber(redis.call('HGET', KEYS[2], 'dropped') or '0')
if dropped > 0 then redis.call('HSET', KEYS[2], 'dropped', 0) end
return { entries, redis.call('XLEN', KEYS[1]), dropped }
`;

/** KEYS: holder. ARGV: node, lease in milliseconds; 0: let go. @returns 1 if it is this node's */
export const HOLD = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`;

/** KEYS: lane, meta, buried. ARGV: buried at most, reason (empty: they are done), places. */
export const SETTLE = `${TELL}
for i = 3, #ARGV do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  if entry then
    if ARGV[2] ~= '' then
      local fields = entry[2]
      fields[#fields + 1] = 'why'
      fields[#fields + 1] = ARGV[2]
      redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[1], '*', unpack(fields))
      fields[#fields] = nil
      fields[#fields] = nil
    end
    forget_told(KEYS[1], KEYS[2], entry)
  end
end
return 1
`;

/** KEYS: lane, meta, buried. ARGV: entries and bytes at most, place among the buried. @returns 1 if it was there */
export const REPLAY = `${TELL}
local entry = redis.call('XRANGE', KEYS[3], ARGV[3], ARGV[3])[1]
if not entry then return 0 end
local fields = {}
for i = 1, #entry[2], 2 do
  if entry[2][i] ~= 'why' then
    fields[#fields + 1] = entry[2][i]
    fields[#fields + 1] = entry[2][i + 1]
  end
end
if tell(KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]), fields) == 0 then return 0 end
redis.call('XDEL', KEYS[3], ARGV[3])
return 1
`;
