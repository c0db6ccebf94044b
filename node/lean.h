/* Memory given back by a process that mostly waits.
 *
 * Starting touches far more than waiting does: libraries bind their symbols, read tables, set up TLS. Those pages are clean
 * copies of files; they count as ours for as long as nobody asks for them back, and the system asks only when it is
 * short. So we do: pages of code and constants are let go (those that are used come back from the page cache within
 * microseconds, at most four at a time), and what malloc has free is returned.
 *
 *     lean_begin()    first thing in main(): one arena for all threads, before there are any
 *     lean_now()      when the start is over, and now and then while nothing happens
 */
#ifndef STAGGER_NODE_LEAN_H
#define STAGGER_NODE_LEAN_H

void lean_begin(void);
void lean_now(void);

#endif
