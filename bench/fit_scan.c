/* The limit to compare with: one pass over a FIT body in C, ten record columns and the checksum.
 *
 * Understands what the timed files need: both byte orders, redefinitions, developer fields,
 * compressed timestamps as messages; no salvage, one file a call. Built and loaded by
 * fit_decoding.py; nothing of the package depends on it.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct { int number, at, size, column; } field;
typedef struct { int length, record, big, count; field fields[16]; } layout;

static const struct { int number, size, is_signed, column; double scale, offset; } wanted[] = {
    {253, 4, 0, 0, 1, -631065600.0}, {0, 4, 1, 1, 2147483648.0 / 180, 0},
    {1, 4, 1, 2, 2147483648.0 / 180, 0}, {2, 2, 0, 3, 5, 500}, {78, 4, 0, 3, 5, 500},
    {5, 4, 0, 4, 100, 0}, {6, 2, 0, 5, 1000, 0}, {73, 4, 0, 5, 1000, 0}, {3, 1, 0, 6, 1, 0},
    {4, 1, 0, 7, 1, 0}, {7, 2, 0, 8, 1, 0}, {13, 1, 1, 9, 1, 0},
};

static uint16_t table[256];

static void make_table(void) {
    for (int i = 0; i < 256; i++) {
        uint16_t crc = (uint16_t)i;
        for (int bit = 0; bit < 8; bit++) crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
        table[i] = crc;
    }
}

static uint16_t checksum(const uint8_t *data, long size) {
    uint16_t crc = 0;
    for (long i = 0; i < size; i++) crc = (uint16_t)(crc >> 8 ^ table[(crc ^ data[i]) & 255]);
    return crc;
}

static double value(const uint8_t *at, int which, int big) {
    uint32_t raw = 0;
    int size = wanted[which].size;
    for (int i = 0; i < size; i++) raw |= (uint32_t)at[big ? size - 1 - i : i] << (8 * i);
    uint32_t none = wanted[which].is_signed ? 0x7FFFFFFFu >> (32 - 8 * size)
                                            : 0xFFFFFFFFu >> (32 - 8 * size);
    if (raw == none) return NAN;
    double number = raw;
    if (wanted[which].is_signed && raw >> (8 * size - 1)) number -= ldexp(1.0, 8 * size);
    return number / wanted[which].scale - wanted[which].offset;
}

static long define(const uint8_t *data, long position, layout *out) {
    const uint8_t *d = data + position;
    int at = 1;
    memset(out, 0, sizeof *out);
    out->big = d[2] == 1;
    out->record = (out->big ? d[3] << 8 | d[4] : d[4] << 8 | d[3]) == 20;
    for (int i = 0; i < d[5]; i++) {
        const uint8_t *f = d + 6 + 3 * i;
        for (int w = 0; w < (int)(sizeof wanted / sizeof *wanted); w++)
            if (wanted[w].number == f[0] && wanted[w].size == f[1] && out->count < 16)
                out->fields[out->count++] = (field){w, at, f[1], wanted[w].column};
        at += f[1];
    }
    position += 6 + 3 * d[5];
    if (d[0] & 0x20) {
        int developer = data[position++];
        for (int i = 0; i < developer; i++) at += data[position + 3 * i + 1];
        position += 3 * developer;
    }
    out->length = at;
    return position;
}

/* Fill columns[10][capacity]; return the number of records, -1 for a wrong checksum. */
long scan(const uint8_t *data, long size, double *columns, long capacity) {
    static layout layouts[16];
    memset(layouts, 0, sizeof layouts);
    if (!table[1]) make_table();
    long position = data[0], count = 0;
    long end = position + ((long)data[4] | (long)data[5] << 8 | (long)data[6] << 16 | (long)data[7] << 24);
    if (end + 2 > size) end = size - 2;
    if (checksum(data, end) != (data[end] | data[end + 1] << 8)) return -1;
    while (position < end) {
        uint8_t header = data[position];
        if ((header & 0xC0) == 0x40) {
            position = define(data, position, &layouts[header & 15]);
            continue;
        }
        const layout *l = &layouts[header & 0x80 ? header >> 5 & 3 : header & 15];
        if (!l->length || position + l->length > end) break;
        if (l->record && count < capacity) {
            for (int c = 0; c < 10; c++) columns[c * capacity + count] = NAN;
            for (int f = 0; f < l->count; f++) {
                double v = value(data + position + l->fields[f].at, l->fields[f].number, l->big);
                if (v == v) columns[l->fields[f].column * capacity + count] = v;
            }
            count++;
        }
        position += l->length;
    }
    return count;
}
