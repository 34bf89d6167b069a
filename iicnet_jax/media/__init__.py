"""File formats of users' pictures and videos; input files are not trusted."""
