# The native addon: system calls and the handles they return. Built by native/setup.mjs.
{
  'targets': [
    {
      'target_name': 'sluice',
      'sources': [
        'addon.cc',
        'common.cc',
        'readiness.cc',
        'descriptor_watch.cc',
        'tap_device.cc',
        'netlink_socket.cc',
        'packet_socket.cc',
        'packet_ring.cc',
        'tty.cc',
        'tty_lines.cc',
        'udp_socket.cc',
        'network_namespace.cc',
        'scheduling.cc',
        'service_manager.cc',
        'memory.cc',
        'crc32c.cc',
        'octet_loops.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      'cflags': ['-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fno-rtti'],
    },
  ],
}
