"""Pictures and videos of users: files in, files out. Input files are not trusted."""
