#!lua
-- Put in front of every script. KEYS[1] is the shard's base, "{pb:3}": every key that a script touches starts with it, so all of
-- them lie in one hash slot. Two times: `lease_now` governs leases only; `now` (business time, with the clock's offset) all the rest.
local base = KEYS[1]
local clock = redis.call('TIME')
local lease_now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local now = lease_now + tonumber(redis.call('GET', base .. ':offset') or '0')

local DAY = 86400000
local KEEP = 45 * DAY        -- PEXPIRE of whole keys: garbage collection with slack, never a business expiry
local KEEP_CHAT = 400 * DAY  -- of a chat, since its last activity: what a bot remembers of a contact
local REMEMBER = 8 * DAY     -- dedupe: longer than any redelivery
local LANE_DEPTH = 200
local HOLD_DEPTH = 20
local DEAD_DEPTH = 10000
local SLOW_GAP = 6000      -- ms between two messages to a contact whose rate WhatsApp limited
local TIMER_DEPTH = 50     -- follow-ups of a chat
local MENUS = 5            -- menus that a chat's labels are recognised from
local MENUS_MOST = 16000   -- bytes of them, the newest aside

local function key(name, id)
  return base .. ':' .. name .. ':' .. id
end

local function shard(name)
  return base .. ':' .. name
end

local function int(number)
  return string.format('%.0f', number)
end

-- A fencing token: no other lease ever has it, on no shard.
local function new_token(worker)
  return worker .. '|' .. base .. int(redis.call('INCR', shard('token')))
end

-- A flat field, value, field, value reply as a table.
local function fields(flat)
  local map = {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return map
end

-- Remember an id until `until_ms` (business time). False where it was known.
local function remember(c, id, until_ms)
  local seen = redis.call('ZSCORE', key('dedupe', c), id)
  if seen and tonumber(seen) > now then return false end
  redis.call('ZREMRANGEBYSCORE', key('dedupe', c), '-inf', now)
  redis.call('ZADD', key('dedupe', c), until_ms, id)
  redis.call('PEXPIRE', key('dedupe', c), KEEP)
  return true
end

-- Dead letters: bounded, oldest out first.
local function bury(id, letter)
  redis.call('ZADD', shard('dead'), now, id)
  redis.call('HSET', shard('dead:letters'), id, letter)
  local surplus = redis.call('ZCARD', shard('dead')) - DEAD_DEPTH
  if surplus > 0 then
    for _, old in ipairs(redis.call('ZRANGE', shard('dead'), 0, surplus - 1)) do
      redis.call('HDEL', shard('dead:letters'), old)
    end
    redis.call('ZREMRANGEBYRANK', shard('dead'), 0, surplus - 1)
  end
end
