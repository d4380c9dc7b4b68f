import { TELL } from '../outbox/outbox-scripts.ts';

/**
 * What is done to a room, each step atomic in Redis: state and announcement cannot come apart.
 *
 * Keys of a room, all under one hash tag (Redis Cluster): 1 seats (seat -> user id), 2 users (user id -> member),
 * 3 counts (user id -> seats), 4 revision, 5 lingering (user id -> when he is gone for good). Who lingers has no
 * seat and no count, but is still a member. 6 and 7 are not of the room: where what Laravel is to be told goes. Members are ready JSON, joined as text: cjson would break ids beyond
 * 2^53, `{}` and `[]`. An announcement is five pieces: head, revision, middle, member, tail.
 *
 * Whatever touches a room first announces those whose time is over, so that no list shows them. What is in a key
 * need not be of our making: nothing here trusts it further than it must.
 */
const ROOM = `${TELL}
local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function now_ms()
  return math.floor(now_us() / 1000)
end

-- A value that is no number, or from a future that no clock of a day's error explains, is none of ours.
local function last_revision(now)
  local last = tonumber(redis.call('GET', KEYS[4]) or '')
  if last and last > 0 and last < now + 86400000000 then return last end
  return nil
end

-- Microseconds of Redis's clock, so that it grows even after FLUSHALL; never twice the same.
local function next_revision()
  local now = now_us()
  local revision = string.format('%.0f', math.max(now, (last_revision(now) or 0) + 1))
  -- It outlives the room, lest a clock that is set back gives out a revision again.
  redis.call('SET', KEYS[4], revision, 'EX', 86400)
  return revision
end

local function current_revision()
  local now = now_us()
  return string.format('%.0f', last_revision(now) or now)
end

-- channel, and what Laravel is to be told by: none of both where there is nothing to do.
local about = cjson.decode(ARGV[1])
local frame = { channel = about.channel, joined = ARGV[2], left = ARGV[3], middle = ARGV[4], tail = ARGV[5] }

local function announce(head, member)
  local revision = next_revision()
  if frame.channel then
    redis.call('PUBLISH', frame.channel, head .. revision .. frame.middle .. member .. frame.tail)
  end
end

local told_so_far = 0
local function tell_laravel(kind, member)
  local told = about.told
  if not told then return end
  told_so_far = told_so_far + 1
  tell(KEYS[6], KEYS[7], told.maxEntries, told.maxBytes, {
    'i', told.id .. ':' .. told_so_far, 't', string.format('%.0f', now_ms()), 'o', told.order,
    'k', kind, 'n', told.room, 'j', member
  })
end

local function came(member)
  announce(frame.joined, member)
  tell_laravel('joined', member)
end

local function is_member(text)
  local decoded, value = pcall(cjson.decode, text)
  return decoded and type(value) == 'table' and value.user_id ~= nil
end

local function gone(user)
  local member = redis.call('HGET', KEYS[2], user)
  redis.call('HDEL', KEYS[2], user)
  if not member then return end
  -- Whatever has been written over him: he must not be shown for ever.
  if not is_member(member) then member = '{"user_id":' .. cjson.encode(user) .. '}' end
  announce(frame.left, member)
  tell_laravel('left', member)
end

-- Whose time is over has left, whether or not he comes back a moment later.
local function sweep()
  local over = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', string.format('%.0f', now_ms()))
  for _, user in ipairs(over) do
    redis.call('ZREM', KEYS[5], user)
    if redis.call('HEXISTS', KEYS[3], user) == 0 then gone(user) end
  end
end

local function add(seat, user, member)
  if redis.call('HSETNX', KEYS[1], seat, user) == 0 then return end
  if redis.call('HINCRBY', KEYS[3], user, 1) > 1 then return end
  redis.call('ZREM', KEYS[5], user)
  -- Who lingered is there still: back before he was missed, with what he first brought.
  if redis.call('HSETNX', KEYS[2], user, member) == 1 then came(member) end
end

local function remove(seat, graceMs)
  local user = redis.call('HGET', KEYS[1], seat)
  if not user then return 0 end
  redis.call('HDEL', KEYS[1], seat)
  if redis.call('HINCRBY', KEYS[3], user, -1) > 0 then return 1 end
  redis.call('HDEL', KEYS[3], user)
  if graceMs > 0 then
    redis.call('ZADD', KEYS[5], string.format('%.0f', now_ms() + graceMs), user)
  else
    gone(user)
  end
  return 1
end

local function next_delay()
  local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if #first == 0 then return -1 end
  return math.max(1, tonumber(first[2]) - now_ms())
end

local function snapshot()
  return { current_revision(), redis.call('HVALS', KEYS[2]) }
end

sweep()
`;

/** ARGV: frame, seat, user, member, members at most (0: any number). @returns revision and members, 1 where it is full */
export const ENTER = `${ROOM}
local most = tonumber(ARGV[9])
if most > 0 and redis.call('HLEN', KEYS[2]) >= most and redis.call('HEXISTS', KEYS[2], ARGV[7]) == 0 then
  return { current_revision(), {}, 1 }
end
add(ARGV[6], ARGV[7], ARGV[8])
-- Where nobody came or left for a day no revision is left, and who enters waits to hear one: he is announced anew,
-- which shows nothing to those who see him already.
if not last_revision(now_us()) then announce(frame.joined, redis.call('HGET', KEYS[2], ARGV[7])) end
return snapshot()
`;

/** ARGV: frame, seat, grace in milliseconds. @returns 1 if the seat was there */
export const LEAVE = `${ROOM}
return remove(ARGV[6], tonumber(ARGV[7]))
`;

/** @returns revision and members */
export const MEMBERS = `${ROOM}
return snapshot()
`;

/** @returns milliseconds until the next who lingers here is gone; -1 where nobody lingers */
export const SWEEP = `${ROOM}
return next_delay()
`;

/**
 * Makes a room's seats of one owner what they should be, and what follows from all seats too. Adds first: a user
 * whose seat only changes its name must not be announced as gone.
 * ARGV: frame, the owner's prefix, grace in milliseconds, then seat, user, member for each seat that should be.
 * @returns milliseconds until the next who lingers is gone (-1: nobody), and the leases of the others' seats
 */
export const RECONCILE = `${ROOM}
local prefix, graceMs = ARGV[6], tonumber(ARGV[7])

local wanted = {}
for i = 8, #ARGV, 3 do
  local seat, user, member = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  wanted[seat] = true
  local shown = redis.call('HGET', KEYS[2], user)
  if shown and not is_member(shown) then redis.call('HDEL', KEYS[2], user) end
  add(seat, user, member)
  if redis.call('HSETNX', KEYS[2], user, member) == 1 then came(member) end
end

local counts, owners, seen = {}, {}, {}
local seats = redis.call('HGETALL', KEYS[1])
for i = 1, #seats, 2 do
  local seat, user = seats[i], seats[i + 1]
  local owner = string.match(seat, '^([^|]+|%d+)|.')
  if not owner then
    -- No node will ever give it up.
    redis.call('HDEL', KEYS[1], seat)
  else
    counts[user] = (counts[user] or 0) + 1
    if string.sub(seat, 1, #prefix) ~= prefix and not seen[owner] then
      seen[owner] = true
      owners[#owners + 1] = owner
    end
  end
end

-- What is derived from the seats, where something else than these scripts wrote it.
local counted = redis.call('HGETALL', KEYS[3])
for i = 1, #counted, 2 do
  local count = counts[counted[i]]
  if not count then redis.call('HDEL', KEYS[3], counted[i])
  elseif counted[i + 1] ~= tostring(count) then redis.call('HSET', KEYS[3], counted[i], count) end
end
for user, count in pairs(counts) do redis.call('HSETNX', KEYS[3], user, count) end
for _, user in ipairs(redis.call('HKEYS', KEYS[2])) do
  if not counts[user] and not redis.call('ZSCORE', KEYS[5], user) then gone(user) end
end

for i = 1, #seats, 2 do
  local seat = seats[i]
  if string.sub(seat, 1, #prefix) == prefix and not wanted[seat] then remove(seat, graceMs) end
end
return { next_delay(), owners }
`;

/** Keys that hold something of another kind stop every step of the room: it starts anew. No frame in ARGV. */
export const CLEAR = `return redis.call('DEL', unpack(KEYS))`;
