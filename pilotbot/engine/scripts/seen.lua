-- What is known of a number's webhooks, and whether its history is to be read for what they did not tell (design section 3.5).
-- A hash per number, in business time: `seen`, when the newest message that came was written; `since`, where the history is wanted,
-- from when on; `wants`, how often it was, `asked`, when first; `look`, not before when; `last`, when somebody last read it; `first`, when
-- the first message that ever came was written.
-- ARGV: step, number, then 'saw': time, silence ms | 'want': delay ms, most ms | 'begin': owner, lease ms, every ms, overlap ms, back ms
--       | 'hold': owner, lease ms, since or '' | 'done': owner, wants, since or '', newest time read or '', delay ms
local step, number = ARGV[1], ARGV[2]
local mark, looking = key('seen', number), key('looking', number)

local function field(name)
  return tonumber(redis.call('HGET', mark, name) or '')
end

local function set(name, value)
  redis.call('HSET', mark, name, int(value))
end

local function want(delay, most)
  local seen = field('seen')
  if not seen then return 0 end  -- a new installation: the past is not ours
  redis.call('HINCRBY', mark, 'wants', 1)
  redis.call('HSETNX', mark, 'asked', int(now))
  set('since', math.min(field('since') or seen, seen))
  set('look', delay == 0 and now or math.min(math.max(field('look') or 0, now + delay), field('asked') + most))
  return 1
end

-- Forward only, and never ahead of now: a clock that is wrong somewhere must not hide what comes until then.
local function saw(time)
  local seen, at = field('seen') or 0, math.min(time, now)
  if at > seen then set('seen', at) end
  redis.call('HSETNX', mark, 'first', int(at))
  redis.call('PEXPIRE', mark, KEEP)
end

-- One process at a time; it may ask again, and so goes on.
local function hold(owner, lease_ms)
  local other = redis.call('GET', looking)
  if other and other ~= owner then return false end
  redis.call('SET', looking, owner, 'PX', lease_ms)
  return true
end

if step == 'saw' then
  local time, seen = tonumber(ARGV[3]), field('seen')
  if seen and math.min(time, now) - seen > tonumber(ARGV[4]) then want(0, 0) end  -- nobody wrote, or nobody told us
  saw(time)
elseif step == 'want' then
  return want(tonumber(ARGV[3]), tonumber(ARGV[4]))
elseif step == 'begin' then
  local since, last = field('since'), field('last')
  if not since or now < field('look') or (last and now < last + tonumber(ARGV[5])) then return false end
  if not hold(ARGV[3], ARGV[4]) then return false end
  -- What was written before the installation first heard of anything is none of its business.
  local start = math.max(since - tonumber(ARGV[6]), field('first'), now - tonumber(ARGV[7]))
  return {int(start), int(since), int(field('wants')), int(now)}
elseif step == 'hold' then
  if not hold(ARGV[3], ARGV[4]) then return 0 end
  if ARGV[5] ~= '' and field('since') then set('since', tonumber(ARGV[5])) end
  return 1
elseif step == 'done' then
  local since, newest = tonumber(ARGV[5]), tonumber(ARGV[6])
  if newest then saw(newest) end
  if not since and field('wants') == tonumber(ARGV[4]) then
    redis.call('HDEL', mark, 'since', 'wants', 'asked', 'look')
  elseif field('since') then  -- there is a rest, or it was wanted once more meanwhile
    set('since', since or math.max(field('since'), newest or 0))
    set('look', now + tonumber(ARGV[7]))
    redis.call('HDEL', mark, 'asked')
    redis.call('HSETNX', mark, 'asked', int(now))
  end
  set('last', now)
  redis.call('PEXPIRE', mark, KEEP)
  if redis.call('GET', looking) == ARGV[3] then redis.call('DEL', looking) end
end
return false
