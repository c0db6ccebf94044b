/* Validators are alike, so of the orders in which they could be numbered one is enough. For draw.pml. */
#define key(i) ((v[i] * 16 + permit[i]) * 16 + flight[i])
#define exchange(a) swap = a[k]; a[k] = a[k - 1]; a[k - 1] = swap
inline sort(last) { /* validators 0 to last */
    for (j : 1 .. last) {
        for (k : 1 .. last) {
            if :: key(k - 1) > key(k) -> exchange(v); exchange(permit); exchange(flight) :: else fi
        }
    }
    j = 0; k = 0
}
