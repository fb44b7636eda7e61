/** Numbers of the rtnetlink protocol: the kernel's user-space headers, named at each group. */

/** include/uapi/linux/netlink.h */
export const NLMSG_HEADER_BYTES = 16;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_CREATE = 0x400;
/** In an NLMSG_ERROR: the refused message is not echoed beyond its header, and attributes follow. */
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;
export const NLMSGERR_ATTR_MSG = 1;

export const ATTRIBUTE_HEADER_BYTES = 4;
/** The two flag bits of an attribute's type are not part of the number. */
export const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** include/uapi/linux/rtnetlink.h */
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_NEWQDISC = 36;
export const RTM_DELQDISC = 37;
export const RTM_GETQDISC = 38;

/** include/uapi/linux/rtnetlink.h: multicast groups, as the bit mask that the socket is bound with */
export const RTMGRP_LINK = 0x1;
export const RTMGRP_TC = 0x8;

/** include/uapi/linux/if_link.h and if.h */
export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_TXQLEN = 13;
export const IFLA_LINKINFO = 18;
export const IFLA_STATS64 = 23;
export const IFLA_CARRIER = 33;
/** In an RTM_DELLINK: the link is not gone, it went to another network namespace. */
export const IFLA_NEW_NETNSID = 45;
export const IFLA_NEW_IFINDEX = 49;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const IFLA_TUN_OWNER = 1;
export const IFLA_TUN_TYPE = 3;
export const IFLA_TUN_PI = 4;
export const IFLA_TUN_VNET_HDR = 5;
export const IFLA_TUN_PERSIST = 6;
export const IFLA_TUN_MULTI_QUEUE = 7;
export const IFLA_TUN_NUM_QUEUES = 8;
export const IFLA_TUN_NUM_DISABLED_QUEUES = 9;
export const IFF_UP = 0x1;
export const IFF_RUNNING = 0x40;
/** IFNAMSIZ counts the closing NUL. */
export const INTERFACE_NAME_BYTES = 16;

/** include/uapi/linux/if_addr.h */
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_BROADCAST = 4;
export const IFA_F_NODAD = 0x02;

/** include/uapi/linux/neighbour.h */
export const NDA_DST = 1;
export const NDA_LLADDR = 2;
export const NUD_PERMANENT = 0x80;

/** include/linux/socket.h */
export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** include/uapi/linux/rtnetlink.h, traffic control */
export const TCA_KIND = 1;
export const TCA_OPTIONS = 2;
export const TCA_STATS2 = 7;

/** include/uapi/linux/gen_stats.h */
export const TCA_STATS_BASIC = 1;
export const TCA_STATS_QUEUE = 3;

/** include/uapi/linux/pkt_sched.h */
export const TC_H_ROOT = 0xffffffff;
export const TC_LINKLAYER_ETHERNET = 1;
export const TCA_TBF_PARMS = 1;
export const TCA_TBF_RTAB = 2;
export const TCA_TBF_BURST = 6;
export const TC_RTAB_ENTRIES = 256;
export const TCA_FQ_CODEL_TARGET = 1;
export const TCA_FQ_CODEL_LIMIT = 2;
export const TCA_FQ_CODEL_INTERVAL = 3;
export const TCA_FQ_CODEL_ECN = 4;
export const TCA_CAKE_RTT = 7;
export const TCA_CAKE_TARGET = 8;

/** One psched tick, the unit of TBF's `buffer`, in nanoseconds: 1 << PSCHED_SHIFT, include/net/pkt_sched.h. */
export const PSCHED_TICK_NS = 64;
