-- The record of a sent message. `record` has what is short, under short names, as there are many: chat; i, its item; e, the event that it
-- was said in; mode, where it is not text; template, its name where it went as one; code of a failure; cost; leads, where others wait for
-- its report; 0 is when it came to be known, and 1 to 4 are the statuses by rank, each so many ms after that. `content` has what is long,
-- or of use for a while only, since one long field makes all of a hash dear: kept or again, the item (for the handlers of statuses, or
-- only while it may be decided again), in, while it may be; and while the message is not known to be ours, what came before that: ours, the
-- `wamid` that leads to it, and parked, bodies for the handlers. `menu` has its options, which are recognised for longer than content is
-- kept. `wamid` leads from the provider's id to the record.

local PARKED = 2 * DAY          -- for the 202 that is to come: longer than an item of unknown outcome is posted again
local KEEP_CONTENT = 14 * DAY

local function rank_of(record)
  local known = redis.call('HMGET', record, '4', '3', '2', '1')
  for i = 1, 4 do if known[i] then return 5 - i end end
  return 0
end

-- All of it, flat.
local function whole_record(r)
  local found = redis.call('HGETALL', key('record', r))
  for _, part in ipairs(redis.call('HGETALL', key('content', r))) do table.insert(found, part) end
  local menu = redis.call('GET', key('menu', r))
  if menu then
    table.insert(found, 'menu')
    table.insert(found, menu)
  end
  return found
end
