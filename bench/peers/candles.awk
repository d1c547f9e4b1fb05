# One-minute candles, in floats: start, open, high, low, last, count.
$3 == "-" || /^#/ { next }
{ minute = substr($1, 1, 16) }
minute != now {
    if (count) print now, open, high, low, last, count
    now = minute
    open = high = low = $3
    count = 0
}
{
    last = $3
    if ($3 > high) high = $3
    if ($3 < low) low = $3
    count++
}
END { if (count) print now, open, high, low, last, count }
