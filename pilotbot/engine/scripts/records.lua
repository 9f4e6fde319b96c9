-- The record of a message, flat: `message` has what is short, `content` what is long, where there is any.
local function whole_record(r)
  local found = redis.call('HGETALL', key('message', r))
  for _, part in ipairs(redis.call('HGETALL', key('content', r))) do table.insert(found, part) end
  return found
end
