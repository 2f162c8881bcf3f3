//! DER, X.690: a strict reader that lends out the bytes it was given, and a writer.
