/** Old updates or trades in a row that are taken for repeats; a longer run means that the venue counts anew. */
export const MAX_OLD_RUN = 100;
