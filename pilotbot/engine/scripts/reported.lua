-- A message that leads others was reported: sent, or whatever came of it. (issue of sequences: text must not overtake media)
-- ARGV: c, item id.  Returns 1 where something waited for that
return open_gate(ARGV[1], ARGV[2]) and 1 or 0
